import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRedisServer, startPrivateRedis } from '../../src/services/private-redis.js';

let folder: string;
const binary = findRedisServer(process.env.PATH ?? '') ?? 'redis-server';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "private redis 'é' "));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('startPrivateRedis()', () => {
  it('refuses whoever does not know the password', async () => {
    const redis = await startPrivateRedis(binary, folder);
    const socket = connect(Number(new URL(redis.address).port), '127.0.0.1');
    socket.write('GET x\r\n');
    expect(String((await once(socket, 'data'))[0])).toBe('-NOAUTH Authentication required.\r\n');
    socket.destroy();
    await redis.close();
  });

  it('listens on loopback alone, keeps its data, and throws none of it away', async () => {
    const { client, close } = await startPrivateRedis(binary, folder);
    const setting = async (name: string) => ((await client.config('GET', name)) as string[])[1];
    expect(await Promise.all(['bind', 'appendonly', 'maxmemory-policy', 'dir'].map(setting))).toEqual([
      '127.0.0.1',
      'yes',
      'noeviction',
      folder,
    ]);
    await close();
  });

  it('keeps the password in a file that is ours alone', async () => {
    const { client, close } = await startPrivateRedis(binary, folder);
    expect(readFileSync(join(folder, 'redis.conf'), 'utf8')).toContain(
      `requirepass ${client.options.password}`,
    );
    expect(statSync(join(folder, 'redis.conf')).mode & 0o077).toBe(0);
    await close();
  });

  it('gives a command up after five seconds, if the server died', async () => {
    const { client, close } = await startPrivateRedis(binary, folder);
    expect(client.options.commandTimeout).toBe(5_000);
    await close();
  });

  it('says in the server’s own words why it did not start', async () => {
    const broken = join(folder, 'broken-redis');
    writeFileSync(
      broken,
      `#!/bin/sh\necho "1:M 01 Jan * Can't open the append only file: no space" >> "$(dirname "$1")/redis.log"\n`,
    );
    chmodSync(broken, 0o755);
    await expect(startPrivateRedis(broken, folder)).rejects.toThrow(
      "Cannot start redis-server: 1:M 01 Jan * Can't open the append only file: no space",
    );
  });
});

describe('findRedisServer()', () => {
  it('takes the first that can run', () => {
    writeFileSync(join(folder, 'redis-server'), '');
    expect(findRedisServer([folder, ''].join(delimiter))).not.toBe(join(folder, 'redis-server'));
    chmodSync(join(folder, 'redis-server'), 0o755);
    expect(findRedisServer(['', '/nowhere', folder].join(delimiter))).toBe(join(folder, 'redis-server'));
  });
});
