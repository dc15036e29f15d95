import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, type PrivateRedis, startPrivateRedis } from '../../src/services/private-redis.js';

export interface OpenRedis extends PrivateRedis {
  /** A further connection, closed with the first. */
  another(): PrivateRedis['client'];
}

/** A real Redis in a folder of its own; its `close()` removes the folder too. */
export async function openPrivateRedis(): Promise<OpenRedis> {
  const binary = findRedisServer(process.env.PATH ?? '');
  if (!binary) throw new Error('the tests need redis-server on the PATH');
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-redis-'));
  const redis = await startPrivateRedis(binary, folder);
  const others: PrivateRedis['client'][] = [];
  return {
    ...redis,
    another() {
      const other = redis.client.duplicate();
      others.push(other);
      return other;
    },
    async close() {
      for (const other of others) other.disconnect();
      await redis.close();
      rmSync(folder, { recursive: true });
    },
  };
}
