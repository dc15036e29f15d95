import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, type PrivateRedis, startPrivateRedis } from '../../src/services/private-redis.js';

/** A real Redis in a folder of its own; its `close()` removes the folder too. */
export async function openPrivateRedis(): Promise<PrivateRedis> {
  const binary = findRedisServer(process.env.PATH ?? '');
  if (!binary) throw new Error('the tests need redis-server on the PATH');
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-redis-'));
  const redis = await startPrivateRedis(binary, folder);
  return {
    ...redis,
    async close() {
      await redis.close();
      rmSync(folder, { recursive: true });
    },
  };
}
