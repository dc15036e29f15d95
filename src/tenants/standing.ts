/**
 * How a tenant stands with its payments, where the gate can look it up in one step. It is kept in
 * Redis and follows from Stripe; after a wipe the gate takes it from the dunning's ledger.
 */
import type { RedisClient } from '../redis-client.js';

/** `good`: all limits; `reduced`: half of them; `suspended`: no queries at all. */
export type Standing = 'good' | 'reduced' | 'suspended';

/** The braces keep what belongs to a tenant on one node of a Redis cluster. */
export const standingKey = (tenantId: string) => `meterbridge:standing:{${tenantId}}`;

/**
 * How a tenant stands with its payments; one of whom nothing is known stands well.
 *
 * @example await readStanding(redis, 'acme-corp') // 'good'
 */
export async function readStanding(redis: RedisClient, tenantId: string): Promise<Standing> {
  return ((await redis.get(standingKey(tenantId))) as Standing | null) ?? 'good';
}

/** @example await setStanding(redis, 'acme-corp', 'reduced'); */
export async function setStanding(redis: RedisClient, tenantId: string, standing: Standing): Promise<void> {
  await redis.set(standingKey(tenantId), standing);
}
