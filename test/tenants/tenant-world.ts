import { termsFollower } from '../../src/billing/webhooks/terms-follower.js';
import type { Fault } from '../../src/local-stripe/http/faults.js';
import { PLANS } from '../../src/plans.js';
import { tenantLimits } from '../../src/server/tenant-limits.js';
import { TenantLifecycle } from '../../src/tenants/lifecycle.js';
import { type BilledTenantOptions, billedTenant } from '../support/billed-tenant.js';
import type { Embedded } from '../support/embedded.js';

export type TenantWorld = Awaited<ReturnType<typeof tenantWorld>>;

/** A tenant that subscribed on 1 November 2025 and is active; it is the 15th, at noon. */
export async function tenantWorld(
  engine: Pick<Embedded, 'clickhouse' | 'redis'>,
  options: BilledTenantOptions = {},
) {
  const tenant = await billedTenant(engine, options);
  const { tenantId, customerId, stripe, billing, clock: now } = tenant;
  const lifecycle = await TenantLifecycle.open(engine.redis, engine.clickhouse, {
    now,
    billedPlan: async () => (await billing.findSubscription(customerId))?.planType,
  });
  const by = 'test';
  await lifecycle.transition({ tenantId, event: 'sign_up', plan: options.planType ?? 'starter', by });
  const { version } = await lifecycle.transition({ tenantId, event: 'pay', by });
  await lifecycle.transition({ tenantId, event: 'complete', version, by });
  const followTerms = termsFollower(stripe, { ...engine, now });
  await followTerms({ tenantId, customerId });
  await tenant.advance('2025-11-15T12:00:00Z');
  /** Keys that open something, by tenant. */
  const keys = new Map<string, string>([['key-0', tenantId]]);
  const limits = tenantLimits({ ...engine, ledger: tenant.ledger, now });
  const parts = {
    ...{ lifecycle, billing, followTerms, now },
    ...{ clickhouse: engine.clickhouse, redis: engine.redis },
    revokeKeys: async (whose: string) => {
      for (const [key, owner] of keys) if (owner === whose) keys.delete(key);
    },
    issueKey: async (whose: string) => {
      const key = `key-${keys.size + 1}`;
      keys.set(key, whose);
      return key;
    },
  };
  return {
    ...tenant,
    lifecycle,
    keys,
    parts,
    limits,
    /** The plan whose limits the gate has, or why it lets nobody in. */
    atTheGate: async () => {
      const found = await limits(tenantId);
      if (typeof found === 'string') return found;
      return Object.values(PLANS).find(({ dailyLimits }) => dailyLimits.queries === found.queries)?.name;
    },
    state: async () => (await lifecycle.read(tenantId))?.state,
    subscription: () => billing.findSubscription(customerId),
  };
}

/** Lets calls of a path fail until it is undone. */
export function failing(
  { local }: Pick<TenantWorld, 'local'>,
  path: RegExp,
  fault: Fault = 'unavailable',
): () => void {
  local.faults = (call) => (call.method !== 'GET' && path.test(call.path) ? fault : undefined);
  return () => {
    local.faults = () => undefined;
  };
}
