/** Takes a tenant's keys out of Redis. */
import { ioredisOf } from '../ioredis-of.js';
import type { RedisClient } from '../redis-client.js';

/**
 * Keys that belong to a tenant carry its id in braces, whichever part made them: looked for by that,
 * so that none is missed when a part is added. What is nobody's own has a colon after the brace, which is in
 * no id. A lock is let be: it expires, and may be somebody's.
 *
 * @returns how many there were
 */
export async function forgetKeys(client: RedisClient, tenantId: string): Promise<number> {
  const redis = ioredisOf(client);
  let [cursor, count] = ['0', 0];
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `*{${tenantId}}*`, 'COUNT', 1_000);
    const keys = found.filter((key) => !key.startsWith('meterbridge:lock:'));
    if (keys.length > 0) count += await redis.del(keys);
    cursor = next;
  } while (cursor !== '0');
  return count;
}
