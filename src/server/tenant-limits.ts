/**
 * What a tenant may use right now: the limits of its plan, halved or gone while a payment is overdue.
 * Redis answers in one step. What it does not have, after a wipe say, comes from ClickHouse: the plan
 * from the tenant's terms, the standing from the dunning's ledger.
 *
 * A change that the kit makes holds from the next query on; one that is written to ClickHouse past it
 * within a minute (gate-entry.ts). While Redis is away a tenant has what it had when it was last seen here,
 * or else what ClickHouse says; while both are away the smallest plan, so that nobody is refused for a
 * failure of ours, and it costs no more than that.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import type { DunningLedger } from '../dunning/dunning-ledger.js';
import { standingOf } from '../dunning/records.js';
import { termsAt } from '../metering/tenants.js';
import { type DailyLimits, limitsOf } from '../plans.js';
import type { RedisClient } from '../redis-client.js';
import { sayFailure } from '../say-failure.js';
import { type CurrentPlan, fillGateEntry, readGateEntry, type Standing } from '../tenants/gate-entry.js';

/** `suspended`: until it has paid; `ended`: no subscription. */
export type TenantLimits = DailyLimits | 'suspended' | 'ended';

export interface TenantLimitsOptions {
  readonly redis: RedisClient;
  readonly clickhouse: ClickHouseClient;
  readonly ledger: Pick<DunningLedger, 'of'>;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clockMs?: () => number;
}

/** How long Redis is left alone after it failed. */
const AWAY_MS = 1_000;

interface Known {
  readonly plan: CurrentPlan;
  readonly standing: Standing;
}

/** @example const app = createApp({ …, limitsOf: tenantLimits({ redis, clickhouse, ledger }) }); */
export function tenantLimits(options: TenantLimitsOptions): (tenantId: string) => Promise<TenantLimits> {
  const { redis, clickhouse, ledger, now = () => new Date(), clockMs = () => performance.now() } = options;
  const lastSeen = new Map<string, Known>();
  let awayUntil = Number.NEGATIVE_INFINITY;

  async function planAt(tenantId: string, instant: Date): Promise<CurrentPlan> {
    const terms = await termsAt(clickhouse, { tenantId, instant });
    return terms?.state === 'active' ? terms.plan : 'none';
  }

  async function fromClickHouse(tenantId: string): Promise<Known> {
    const [plan, records] = await Promise.all([planAt(tenantId, now()), ledger.of(tenantId)]);
    return { plan, standing: standingOf(records) };
  }

  async function fromRedis(tenantId: string): Promise<Known> {
    const { plan, standing } = await readGateEntry(redis, tenantId);
    if (plan && standing) return { plan, standing };
    const truth = await fromClickHouse(tenantId).catch(say(tenantId));
    // Not kept in Redis: what ClickHouse would say is not known.
    if (!truth) return { ...DEFAULT, ...lastSeen.get(tenantId), ...(plan && { plan }) };
    await fillGateEntry(redis, tenantId, truth);
    return { plan: plan ?? truth.plan, standing: standing ?? truth.standing };
  }

  async function known(tenantId: string): Promise<Known> {
    if (clockMs() >= awayUntil) {
      try {
        const found = await fromRedis(tenantId);
        lastSeen.set(tenantId, found);
        return found;
      } catch {
        // The gate finds the same, and says so by its mode.
        awayUntil = clockMs() + AWAY_MS;
      }
    }
    const seen = lastSeen.get(tenantId);
    if (seen) return seen;
    const found = await fromClickHouse(tenantId).catch(say(tenantId));
    if (found) lastSeen.set(tenantId, found);
    return found ?? DEFAULT;
  }

  return async (tenantId) => {
    const { plan, standing } = await known(tenantId);
    if (plan === 'none') return 'ended';
    return standing === 'suspended' ? 'suspended' : limitsOf(plan, { reduced: standing === 'reduced' });
  };
}

const DEFAULT: Known = { plan: 'starter', standing: 'good' };

const say = (tenantId: string) => sayFailure(`The gate takes ${tenantId} for what it was last`);
