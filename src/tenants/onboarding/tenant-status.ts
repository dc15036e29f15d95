/** What a tenant may read of itself: plan, state, and how far its onboarding is. */
import type { ClickHouseClient } from '@clickhouse/client';
import { type TenantState, type TenantTerms, termsAt } from '../../metering/tenants.js';
import { monthOf } from '../../period.js';
import { PLANS, type PlanName } from '../../plans.js';
import type { TenantLifecycle } from '../lifecycle.js';
import type { LifecycleEntry } from '../lifecycle-entry.js';
import type { LifecycleState } from '../lifecycle-table.js';
import { NOT_SIGNED_UP } from '../not-signed-up.js';
import type { OnboardingProgress, StepState } from './progress.js';
import { STEPS } from './steps.js';

/** As `GET /api/tenants/{id}` sends it; no personal data, no secret. */
export interface TenantStatus {
  readonly tenant_id: string;
  /** The plan that is billed now, and whose limits hold. */
  readonly plan: PlanName;
  /** A cheaper plan that was agreed on, and from when it holds. */
  readonly next_plan?: PlanName;
  readonly holds_from?: string;
  readonly state: LifecycleState | TenantState;
  /** From when it is in this state. */
  readonly since: string;
  readonly trial_ends_at?: string;
  /** Why it is in this state, or cannot change it. */
  readonly reason?: string;
  /** Of the onboarding, in their order; none of a tenant that never signed up here. */
  readonly steps: readonly StepState[];
}

/** States on the way from a signup to the first `active`. */
export const UNDER_WAY: readonly LifecycleState[] = [
  'pending_payment',
  'provisioning',
  'provisioning_failed',
];

/** @returns undefined for a tenant that nobody knows */
export async function tenantStatus(
  services: {
    lifecycle: Pick<TenantLifecycle, 'read'>;
    clickhouse: ClickHouseClient;
    progress: OnboardingProgress;
  },
  { tenantId, now }: { tenantId: string; now: Date },
): Promise<TenantStatus | undefined> {
  const [entry, terms] = await Promise.all([
    services.lifecycle.read(tenantId),
    termsAt(services.clickhouse, { tenantId, instant: now }),
  ]);
  const trialEndsAt = terms?.trialEndsAt;
  if (!entry) {
    if (!terms) return undefined;
    const { plan, state, effectiveFrom } = terms;
    const times = timesOf(effectiveFrom, trialEndsAt);
    return { tenant_id: tenantId, plan, state, ...times, reason: NOT_SIGNED_UP, steps: [] };
  }
  const { state, at, reason } = entry;
  const steps = UNDER_WAY.includes(state)
    ? await services.progress.of(tenantId)
    : STEPS.map((name) => ({ name, state: 'done' as const }));
  const times = timesOf(at, trialEndsAt);
  return { tenant_id: tenantId, ...plansOf(entry, terms), state, ...times, ...(reason && { reason }), steps };
}

/** By the terms, which follow Stripe: the lifecycle knows what was agreed on. */
function plansOf(
  { plan: agreed, state, at }: LifecycleEntry,
  terms: TenantTerms | undefined,
): Pick<TenantStatus, 'plan' | 'next_plan' | 'holds_from'> {
  const plan = terms?.state === 'active' ? terms.plan : agreed;
  const isCheaper = PLANS[agreed].baseCents < PLANS[plan].baseCents;
  if (!isCheaper || !['active', 'suspended'].includes(state)) return { plan };
  return { plan, next_plan: agreed, holds_from: monthOf(at).end.toISOString() };
}

function timesOf(since: Date, trialEndsAt: Date | undefined): Pick<TenantStatus, 'since' | 'trial_ends_at'> {
  return { since: since.toISOString(), ...(trialEndsAt && { trial_ends_at: trialEndsAt.toISOString() }) };
}
