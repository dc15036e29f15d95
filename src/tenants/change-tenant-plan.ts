/**
 * Another plan for a tenant. A dearer one holds at once: first the limits at the gate, then Stripe, which
 * takes the rest of the month's fee; what Stripe refuses is taken back at the gate. A cheaper one holds
 * from the 1st of next month, and waits for it at Stripe. Queries pass meanwhile, by the old limits or by the
 * new ones.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { monthOf } from '../period.js';
import { PLANS, type PlanName } from '../plans.js';
import type { RedisClient } from '../redis-client.js';
import { sayFailure } from '../say-failure.js';
import { setPlan } from './gate-entry.js';
import type { TenantLifecycle } from './lifecycle.js';
import type { LifecycleEntry } from './lifecycle-entry.js';
import { nextEntry } from './next-entry.js';
import { NoSubscriptionError } from './no-subscription-error.js';
import { refuseNotSignedUp } from './not-signed-up.js';
import {
  type FollowTerms,
  findBilled,
  type Proration,
  type TenantBilling,
  type TenantSubscription,
} from './tenant-billing.js';
import { checkUseFits } from './use-fits-plan.js';

export interface PlanParts {
  readonly lifecycle: Pick<TenantLifecycle, 'read' | 'during'>;
  readonly clickhouse: ClickHouseClient;
  readonly redis: RedisClient;
  readonly billing: Pick<
    TenantBilling,
    'findCustomer' | 'findSubscription' | 'previewPlanChange' | 'changePlan'
  >;
  readonly followTerms: FollowTerms;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

export interface PlanRequest {
  readonly tenantId: string;
  readonly plan: PlanName;
  /** Who asks, for the log. @default 'tenant' */
  readonly by?: string;
}

export interface TenantPlanChange {
  /** Before the change, or after it. */
  readonly tenant: LifecycleEntry;
  /** `none`: it has that plan, and no other one waits. */
  readonly kind: 'upgrade' | 'downgrade' | 'none';
  readonly plan: PlanName;
  readonly holdsFrom: Date;
  /** What Stripe takes at once: the rest of the month, and the use of the days before under the old plan. */
  readonly proration: Proration;
}

type PlannedChange = Omit<TenantPlanChange, 'proration'>;

const FREE: Proration = { lines: [], totalCents: 0 };

/**
 * What a change would be, without making it.
 *
 * @throws TransitionRefusedError with the current state, where that does not allow it.
 * @throws UseExceedsPlanError for a smaller plan than its use needs, NoSubscriptionError, InvalidInputError
 * @example (await previewTenantPlan(parts, { tenantId, plan: 'pro' })).proration.totalCents // 3733
 */
export async function previewTenantPlan(parts: PlanParts, request: PlanRequest): Promise<TenantPlanChange> {
  const { change, subscription } = await lookAt(parts, request);
  return { ...change, proration: await prorationOf(parts, change, subscription) };
}

/**
 * Changes the plan.
 *
 * @returns the tenant after it, and what changes when
 * @throws as {@link previewTenantPlan}; of two at once one is refused with the state as it then is.
 * @throws what Stripe says; then the tenant is as it was.
 * @example await changeTenantPlan(parts, { tenantId: 'acme-corp', plan: 'pro' });
 */
export async function changeTenantPlan(parts: PlanParts, request: PlanRequest): Promise<TenantPlanChange> {
  const { change, customerId, subscription } = await lookAt(parts, request);
  const { kind, plan, tenant } = change;
  if (kind === 'none') return { ...change, proration: FREE };
  const { tenantId, by = 'tenant' } = request;
  const { subscriptionId, planType: before } = subscription;
  // The version, since what was looked at may be over.
  const asked = { tenantId, event: kind, plan, by, version: tenant.version } as const;
  let proration = FREE;
  const after = await parts.lifecycle.during(asked, async () => {
    if (kind === 'downgrade') return parts.billing.changePlan({ subscriptionId, planType: plan });
    // Here and not before: of two at once the second would ask Stripe about a change that is made already.
    proration = await prorationOf(parts, change, subscription);
    await setPlan(parts.redis, tenantId, plan);
    try {
      await parts.billing.changePlan({ subscriptionId, planType: plan });
    } catch (error) {
      // What Stripe has: its answer may be lost, and the change be made. While it is away: as before.
      await parts.followTerms({ tenantId, customerId }).catch(() => setPlan(parts.redis, tenantId, before));
      throw error;
    }
    // The webhook does it as well; the tenant need not wait for that.
    return parts.followTerms({ tenantId, customerId }).catch(sayFailure('Terms wait for their webhook'));
  });
  return { ...change, proration, tenant: after };
}

async function lookAt(
  { lifecycle, clickhouse, billing, now: clock = () => new Date() }: PlanParts,
  { tenantId, plan, by = 'tenant' }: PlanRequest,
): Promise<{ change: PlannedChange; customerId: string; subscription: TenantSubscription }> {
  const now = clock();
  const tenant = await lifecycle.read(tenantId);
  if (!tenant) await refuseNotSignedUp(clickhouse, { tenantId, event: 'upgrade', now });
  // Upgrades and downgrades begin in the same states: refused before Stripe is asked.
  nextEntry(tenant, { tenantId, event: 'upgrade', plan, by }, now);
  const { customerId, subscription } = await findBilled(billing, tenantId);
  if (!tenant || !customerId || !subscription) throw new NoSubscriptionError(tenantId);
  const kind = kindOf(plan, { billed: subscription.planType, agreed: tenant.plan });
  if (kind === 'downgrade') await checkUseFits(clickhouse, { tenantId, plan, now });
  const holdsFrom = kind === 'downgrade' ? monthOf(now).end : now;
  return { change: { tenant, kind, plan, holdsFrom }, customerId, subscription };
}

async function prorationOf(
  { billing }: PlanParts,
  { kind, plan }: PlannedChange,
  { subscriptionId, planType }: TenantSubscription,
): Promise<Proration> {
  if (kind !== 'upgrade' || plan === planType) return FREE;
  return billing.previewPlanChange({ subscriptionId, planType: plan });
}

/** By the plan that is billed: another one may be agreed on, and wait for its month. */
function kindOf(plan: PlanName, { billed, agreed }: { billed: PlanName; agreed: PlanName }) {
  if (plan === billed) return plan === agreed ? 'none' : 'upgrade';
  return PLANS[plan].baseCents > PLANS[billed].baseCents ? 'upgrade' : 'downgrade';
}
