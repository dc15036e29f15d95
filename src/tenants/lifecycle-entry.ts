/**
 * One line of the lifecycle log. A tenant's last line is the tenant itself: what Redis holds of it, and
 * what brings it back after Redis was wiped.
 */
import type { TenantTerms } from '../metering/tenants.js';
import type { PlanName } from '../plans.js';
import { LIFECYCLE, type LifecycleEvent, type LifecycleState } from './lifecycle-table.js';

export interface LifecycleEntry {
  readonly tenantId: string;
  /** Grows with each transition; with the tenant's id the identity of the entry. */
  readonly version: number;
  readonly event: LifecycleEvent;
  readonly from: LifecycleState;
  /** The state after the event. */
  readonly state: LifecycleState;
  /** Never before that of the last entry, even if a clock goes back. */
  readonly at: Date;
  /** Who asked, e.g. `dunning`. */
  readonly by: string;
  readonly reason?: string | undefined;
  /** The plan that holds, also while another is on its way. */
  readonly plan: PlanName;
  /** The plan that holds once the transition in progress is complete. */
  readonly targetPlan?: PlanName | undefined;
  /** When the transition in progress is overdue. */
  readonly deadline?: Date | undefined;
  /** From when the tenant's last terms hold; absent before it has any. */
  readonly effectiveFrom?: Date | undefined;
  readonly trialEndsAt?: Date | undefined;
}

/** An entry as a line of JSON: kept so in Redis, and inserted so into ClickHouse. Times in epoch ms. */
export interface LifecycleRow {
  readonly tenant_id: string;
  readonly version: number;
  readonly event: LifecycleEvent;
  readonly from_state: LifecycleState;
  readonly to_state: LifecycleState;
  readonly at: number;
  readonly by_whom: string;
  readonly reason: string;
  readonly plan: PlanName;
  readonly target_plan: PlanName | '';
  readonly deadline: number | null;
  readonly effective_from: number | null;
  readonly trial_ends_at: number | null;
}

export function rowOf(entry: LifecycleEntry): LifecycleRow {
  return {
    tenant_id: entry.tenantId,
    version: entry.version,
    event: entry.event,
    from_state: entry.from,
    to_state: entry.state,
    at: entry.at.getTime(),
    by_whom: entry.by,
    reason: entry.reason ?? '',
    plan: entry.plan,
    target_plan: entry.targetPlan ?? '',
    deadline: entry.deadline?.getTime() ?? null,
    effective_from: entry.effectiveFrom?.getTime() ?? null,
    trial_ends_at: entry.trialEndsAt?.getTime() ?? null,
  };
}

export function entryOf(row: LifecycleRow): LifecycleEntry {
  return {
    tenantId: row.tenant_id,
    version: Number(row.version),
    event: row.event,
    from: row.from_state,
    state: row.to_state,
    at: new Date(Number(row.at)),
    by: row.by_whom,
    reason: row.reason || undefined,
    plan: row.plan,
    targetPlan: row.target_plan || undefined,
    deadline: dateOf(row.deadline),
    effectiveFrom: dateOf(row.effective_from),
    trialEndsAt: dateOf(row.trial_ends_at),
  };
}

/** Whether invoices see a difference: a plan may change where a transition completes, a state anywhere. */
export function changesTerms({ event, from, state }: Pick<LifecycleEntry, 'event' | 'from' | 'state'>) {
  if (event === 'complete') return true;
  // Who never was provisioned has no terms, and gets none by being deleted.
  return LIFECYCLE[from].terms !== undefined && LIFECYCLE[from].terms !== LIFECYCLE[state].terms;
}

/** The tenant's terms from this entry on, for `recordTenants()`; undefined where they stay as they were. */
export function termsOf(entry: LifecycleEntry): TenantTerms | undefined {
  const { tenantId, plan, effectiveFrom, trialEndsAt } = entry;
  const state = LIFECYCLE[entry.state].terms;
  if (!state || !effectiveFrom || !changesTerms(entry)) return undefined;
  return { tenantId, effectiveFrom, plan, state, trialEndsAt };
}

/** A server may send 64-bit numbers as text. */
const dateOf = (ms: number | null) => (ms === null ? undefined : new Date(Number(ms)));
