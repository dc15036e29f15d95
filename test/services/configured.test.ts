import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { openServices } from '../../src/services/open-services.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { openPrivateRedis } from '../support/private-redis.js';
import { servicesChild } from '../support/services-child.js';

let folder: string;
let redis: PrivateRedis;
const servers: Server[] = [];
const started = async (server: Server) => {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const hosts = { http: '', hangingUp: '', denying: '', silent: '', redis: '', closed: '127.0.0.1:1' };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'configured-'));
  redis = await openPrivateRedis();
  hosts.redis = redis.address.replace('redis://', '');
  hosts.http = await started(createHttpServer((_, response) => response.writeHead(404).end('no such page')));
  hosts.denying = await started(
    createHttpServer((_, response) =>
      response
        .writeHead(516, { 'x-clickhouse-exception-code': '516' })
        .end('Code: 516. DB::Exception: me: Authentication failed. (AUTHENTICATION_FAILED)'),
    ),
  );
  hosts.hangingUp = await started(createServer((socket) => socket.on('error', () => undefined).end()));
  hosts.silent = await started(createServer((socket) => socket.on('error', () => undefined)));
});
afterAll(async () => {
  for (const server of servers) server.close();
  await redis.close();
  rmSync(folder, { recursive: true });
});

type Host = keyof typeof hosts;
/** Opens with both services configured, the other one at a closed port; `<host>` names a server of above. */
const skipOf = async (setting: 'REDIS' | 'CLICKHOUSE', kind: 'URL' | 'HOST', value: string) => {
  const address = value.replace(/<(\w+)>/, (_, host: Host) => hosts[host]);
  const closed = { REDIS_HOST: hosts.closed, CLICKHOUSE_HOST: hosts.closed };
  const config = readConfig({ ...closed, [`${setting}_${kind}`]: address });
  const services = await openServices({ workspace: 'test', dataDir: folder, config });
  await services.close();
  const service = setting === 'REDIS' ? services.redis : services.clickhouse;
  return service.mode === 'off' ? service.skip.replace(address.replace(/^.*[@/]/, ''), '<host>') : service;
};

describe('openServices(), REDIS_URL and REDIS_HOST', () => {
  it.each([
    ['URL', 'redis://<closed>', 'REDIS_URL: the connection was refused at <host>'],
    ['HOST', '<closed>', 'REDIS_HOST: the connection was refused at <host>'],
    ['HOST', 'nowhere.invalid:6379', 'REDIS_HOST: there is no such host at <host>'],
    ['URL', 'redis://:wrong-secret@<redis>', 'REDIS_URL: the user or password is wrong at <host>'],
    ['URL', 'redis://nobody:wrong-secret@<redis>', 'REDIS_URL: the user or password is wrong at <host>'],
    ['HOST', '<redis>', 'REDIS_HOST: the user or password is wrong at <host>'],
    ['HOST', '<hangingUp>', 'REDIS_HOST: the server closed the connection at <host>'],
    ['HOST', '<silent>', 'REDIS_HOST: there was no answer in time at <host>'],
  ] as const)('says in one sentence what is wrong with REDIS_%s=%s', async (kind, value, sentence) => {
    expect(await skipOf('REDIS', kind, value)).toBe(sentence);
  });

  it('names the setting where something else answers', async () => {
    expect(await skipOf('REDIS', 'HOST', '<http>')).toMatch(/^REDIS_HOST: [^\n]+ at <host>$/);
  });

  it('opens a server with its password, and does not show it', async () => {
    const password = redis.client.options.password ?? '';
    const url = `redis://:${password}@${hosts.redis}/3`;
    const config = readConfig({ REDIS_URL: url, CLICKHOUSE_HOST: hosts.closed });
    const services = await openServices({ workspace: 'test', dataDir: folder, config });
    if (services.redis.mode === 'off') throw new Error(services.redis.skip);
    expect([services.redis.mode, services.redis.address]).toEqual(['configured', `redis://${hosts.redis}`]);
    expect(await services.redis.client.ping()).toBe('PONG');
    await services.close();
    expect(await redis.client.ping()).toBe('PONG');
  });
});

describe('openServices(), CLICKHOUSE_URL and CLICKHOUSE_HOST', () => {
  it.each([
    ['URL', 'http://<closed>', 'CLICKHOUSE_URL: the connection was refused at <host>'],
    ['HOST', 'nowhere.invalid:8123', 'CLICKHOUSE_HOST: there is no such host at <host>'],
    ['URL', 'http://me:wrong-secret@<denying>', 'CLICKHOUSE_URL: the user or password is wrong at <host>'],
    ['HOST', '<hangingUp>', 'CLICKHOUSE_HOST: the server closed the connection at <host>'],
    ['HOST', '<http>', 'CLICKHOUSE_HOST: it answered "no such page" at <host>'],
  ] as const)('says in one sentence what is wrong with CLICKHOUSE_%s=%s', async (kind, value, sentence) => {
    expect(await skipOf('CLICKHOUSE', kind, value)).toBe(sentence);
  });

  it('names the setting where a Redis answers', async () => {
    expect(await skipOf('CLICKHOUSE', 'HOST', '<redis>')).toMatch(/^CLICKHOUSE_HOST: [^\n]+ at <host>$/);
  });
});

describe('a process whose settings are wrong', () => {
  it.each([
    { REDIS_HOST: 'closed', CLICKHOUSE_HOST: 'closed' },
    { REDIS_HOST: 'hangingUp', CLICKHOUSE_HOST: 'hangingUp' },
    { REDIS_HOST: 'redis', CLICKHOUSE_HOST: 'http' },
  ] as const)('ends by itself: %o', async ({ REDIS_HOST, CLICKHOUSE_HOST }) => {
    const environment = { REDIS_HOST: hosts[REDIS_HOST], CLICKHOUSE_HOST: hosts[CLICKHOUSE_HOST] };
    const child = await servicesChild(folder, 'wrong', { environment });
    expect([child.clickhouse, child.redis]).toEqual(['off', 'off']);
    expect(await child.end()).toBe(0);
  });
});
