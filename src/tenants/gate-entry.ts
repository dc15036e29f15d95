/**
 * What the gate reads of a tenant before every query: plan and standing, two keys in one round trip.
 * Both are copies. The plan's is that of the tenant's terms in ClickHouse; whoever changes them writes
 * it anew, and it expires, so that a change that nobody told of is seen too. The standing's is the
 * dunning's.
 */
import { ioredisOf } from '../ioredis-of.js';
import type { PlanName } from '../plans.js';
import type { RedisClient } from '../redis-client.js';

/** How a tenant stands with its payments. `good`: all limits; `reduced`: half; `suspended`: no queries at all. */
export type Standing = 'good' | 'reduced' | 'suspended';

/** `none`: no subscription. */
export type CurrentPlan = PlanName | 'none';

/** Undefined is what Redis does not have. */
export interface GateEntry {
  readonly plan: CurrentPlan | undefined;
  readonly standing: Standing | undefined;
}

/** How long a change of terms that was written past this file may stay unseen. */
const PLAN_KEPT_MS = 60_000;

/* The braces keep what belongs to a tenant on one node of a Redis cluster. */
const planKey = (tenantId: string) => `meterbridge:plan:{${tenantId}}`;
const standingKey = (tenantId: string) => `meterbridge:standing:{${tenantId}}`;

/** @example const { plan, standing } = await readGateEntry(redis, 'acme-corp'); */
export async function readGateEntry(redis: RedisClient, tenantId: string): Promise<GateEntry> {
  const [plan, standing] = await ioredisOf(redis).mget(planKey(tenantId), standingKey(tenantId));
  return {
    plan: (plan as CurrentPlan | null) ?? undefined,
    standing: (standing as Standing | null) ?? undefined,
  };
}

/** To be called with the lock of the tenant held, after its terms were written. */
export async function setPlan(redis: RedisClient, tenantId: string, plan: CurrentPlan): Promise<void> {
  await ioredisOf(redis).set(planKey(tenantId), plan, 'PX', PLAN_KEPT_MS);
}

/** @example await setStanding(redis, 'acme-corp', 'reduced'); */
export async function setStanding(redis: RedisClient, tenantId: string, standing: Standing): Promise<void> {
  await redis.set(standingKey(tenantId), standing);
}

/** Fills in what is not there; what somebody wrote in the meantime is newer and stays. */
export async function fillGateEntry(
  client: RedisClient,
  tenantId: string,
  { plan, standing }: { plan: CurrentPlan; standing: Standing },
): Promise<void> {
  const redis = ioredisOf(client);
  await redis.set(planKey(tenantId), plan, 'PX', PLAN_KEPT_MS, 'NX');
  await redis.set(standingKey(tenantId), standing, 'NX');
}
