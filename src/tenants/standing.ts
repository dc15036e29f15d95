/**
 * How a tenant stands with its payments, where the gate can look it up in one step. It is kept in
 * Redis and follows from Stripe: after a wipe the next run of the dunning brings it back.
 */
import type { RedisClient } from '../redis-client.js';

/** `good`: all limits; `reduced`: half of them; `suspended`: no queries at all. */
export type Standing = 'good' | 'reduced' | 'suspended';

const keyOf = (tenantId: string) => `meterbridge:standing:{${tenantId}}`;

/** @example if ((await readStanding(redis, 'acme-corp')) === 'suspended') refuse(); */
export async function readStanding(redis: RedisClient, tenantId: string): Promise<Standing> {
  return ((await redis.get(keyOf(tenantId))) as Standing | null) ?? 'good';
}

export async function setStanding(redis: RedisClient, tenantId: string, standing: Standing): Promise<void> {
  if (standing === 'good') await redis.del([keyOf(tenantId)]);
  else await redis.set(keyOf(tenantId), standing);
}
