import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.js';
import { openRedis } from '../../src/services/redis.js';
import { openPrivateRedis } from '../support/private-redis.js';

/** A client of a server that dies, as the services open it. */
async function clientOf(kind: 'private' | 'by its address'): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-patience-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const server = await openPrivateRedis();
  onTestFinished(() => server.close());
  const { port, password } = server.client.options;
  const REDIS_URL = `redis://:${password}@127.0.0.1:${port}`;
  const { PATH } = process.env;
  const { service, close } = await openRedis(
    readConfig(kind === 'private' ? { PATH } : { REDIS_URL }),
    folder,
  );
  onTestFinished(close);
  if (service.mode === 'off') throw new Error(service.skip);
  return service.client as unknown as Redis;
}

describe('a call to a Redis that died', () => {
  it.each(['private', 'by its address'] as const)(
    'waits for two quick tries to connect, %s',
    async (kind) => {
      const client = await clientOf(kind);
      await client.ping();
      const waits: number[] = [];
      client.on('reconnecting', (ms: number) => waits.push(ms));
      client.shutdown('NOSAVE').catch(() => undefined);
      await once(client, 'close');
      for (let call = 1; call <= 4; call += 1) await expect(client.ping()).rejects.toThrow('max retries');
      expect(new Set(waits)).toEqual(new Set([100]));
      expect(waits.length).toBeLessThanOrEqual(10);
    },
  );
});
