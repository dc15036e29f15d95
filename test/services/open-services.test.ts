import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { openServices, type Services } from '../../src/services/open-services.js';
import { findRedisServer } from '../../src/services/private-redis.js';

let dataDir: string;
const opened: Services[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'services-'));
});
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
  rmSync(dataDir, { recursive: true });
});

const open = async (environment: Record<string, string | undefined> = {}, some: { reset?: boolean } = {}) => {
  const config = readConfig({ PATH: process.env.PATH, ...environment });
  const services = await openServices({ workspace: 'test', dataDir, config, ...some });
  opened.push(services);
  return services;
};
const clientsOf = ({ clickhouse, redis }: Services) => {
  if (clickhouse.mode === 'off' || redis.mode === 'off') throw new Error('a service is off');
  return { clickhouse: clickhouse.client, redis: redis.client as Redis };
};
const countOf = async (services: Services) => {
  const result = await clientsOf(services).clickhouse.query({
    query: 'SELECT count() AS n FROM kept',
    format: 'JSONEachRow',
  });
  return (await result.json<{ n: number }>())[0]?.n;
};

describe('openServices(), embedded', () => {
  it('says where the services are, without secrets', async () => {
    const { clickhouse, redis, workspace } = await open();
    const { password = '' } = clientsOf({ clickhouse, redis } as Services).redis.options;
    expect(password).toMatch(/^[0-9a-f]{32}$/);
    expect(workspace).toBe(join(dataDir, 'test'));
    expect(clickhouse).toMatchObject({ mode: 'embedded', address: join(workspace, 'clickhouse') });
    expect(redis).toMatchObject({
      mode: 'embedded',
      address: expect.stringMatching(/^redis:\/\/127\.0\.0\.1:\d+$/),
    });
  });

  it('finds the data again after a close, in both', async () => {
    const before = await open();
    const clients = clientsOf(before);
    await clients.clickhouse.command({ query: 'CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n' });
    await clients.clickhouse.command({ query: 'INSERT INTO kept VALUES (1)' });
    await clients.redis.set('kept', '1');
    await before.close();
    const after = await open();
    expect([await countOf(after), await clientsOf(after).redis.get('kept')]).toEqual([1, '1']);
  });

  it('begins empty on request', async () => {
    const before = await open();
    await clientsOf(before).redis.set('kept', '1');
    await before.close();
    expect(await clientsOf(await open({}, { reset: true })).redis.get('kept')).toBeNull();
  });

  it('gives money as text and counts as numbers', async () => {
    const { clickhouse } = clientsOf(await open());
    const query = `SELECT toDecimal64('0.1', 8) AS money, toUInt64(9007199254740991) AS count, sum(toDecimal64('0.2', 8)) AS sum`;
    const result = await clickhouse.query({ query, format: 'JSONEachRow' });
    expect(await result.json()).toEqual([{ money: '0.1', count: 9007199254740991, sum: '0.2' }]);
  });

  it('refuses an insert of bytes whose settings would stay for all later statements', async () => {
    const { clickhouse } = clientsOf(await open());
    const insert = clickhouse.exec({
      query: 'INSERT INTO numbers FORMAT CSV',
      values: Readable.from([Buffer.from('1\n')]),
      clickhouse_settings: { insert_deduplication_token: 'one' },
    });
    await expect(insert).rejects.toThrow(
      'Cannot insert: need INSERT INTO table (a, b) FORMAT JSONCompactEachRow',
    );
  });

  it('has ClickHouse off, with a sentence, where this process has an engine open already', async () => {
    await open();
    const { clickhouse, redis } = await open();
    expect(clickhouse).toMatchObject({
      mode: 'off',
      skip: expect.stringMatching(/^ClickHouse cannot start in this process: [^\n]+$/),
    });
    expect(redis.mode).toBe('embedded');
  });

  it('may be closed twice', async () => {
    const services = await open();
    await services.close();
    await expect(services.close()).resolves.toBeUndefined();
  });

  it('leaves no lock', async () => {
    await (await open()).close();
    expect(existsSync(join(dataDir, 'test', 'lock'))).toBe(false);
  });
});

describe('openServices(), off', () => {
  it('has everything off with OFFLINE=true, and a folder for the rest', async () => {
    const { clickhouse, redis, stripe, workspace } = await open({
      OFFLINE: 'true',
      REDIS_URL: 'nonsense://',
    });
    expect([clickhouse, redis, stripe]).toEqual([
      { mode: 'off', skip: 'OFFLINE=true' },
      { mode: 'off', skip: 'OFFLINE=true' },
      { mode: 'off', skip: 'OFFLINE=true' },
    ]);
    expect(readdirSync(workspace)).toEqual(['lock']);
  });

  it.skipIf(findRedisServer(''))('has Redis off where there is no redis-server', async () => {
    const { clickhouse, redis } = await open({ PATH: '' });
    expect([clickhouse.mode, redis]).toEqual([
      'embedded',
      { mode: 'off', skip: 'no redis-server on this machine: npm start says how to install it' },
    ]);
  });

  it('has both off where both settings make no sense', async () => {
    const { clickhouse, redis } = await open({
      CLICKHOUSE_URL: 'ftp://me:secret@h',
      REDIS_URL: 'http://:secret@h',
    });
    expect([clickhouse, redis]).toEqual([
      { mode: 'off', skip: 'Cannot use CLICKHOUSE_URL: need http://host:port or https://host:port' },
      { mode: 'off', skip: 'Cannot use REDIS_URL: need redis://host:port or rediss://host:port' },
    ]);
  });

  it('throws for a name that is none, and leaves nothing', async () => {
    const config = readConfig({ OFFLINE: 'true' });
    await expect(openServices({ workspace: '../x', dataDir, config })).rejects.toThrow(RangeError);
    expect(readdirSync(dataDir)).toEqual([]);
  });
});
