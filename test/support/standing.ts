import type { RedisClient } from '../../src/redis-client.js';
import { readGateEntry, type Standing } from '../../src/tenants/gate-entry.js';

/** How a tenant stands at the gate; one of whom nothing is known stands well. */
export async function readStanding(redis: RedisClient, tenantId: string): Promise<Standing> {
  return (await readGateEntry(redis, tenantId)).standing ?? 'good';
}
