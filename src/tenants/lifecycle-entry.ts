/**
 * One line of the lifecycle log. A tenant's last line is the tenant itself: what Redis holds of it, and
 * what brings it back after Redis was wiped.
 */
import type { PlanName } from '../plans.js';
import type { LifecycleEvent, LifecycleState } from './lifecycle-table.js';

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
  /** The plan that was agreed on last. Which one is billed from when says Stripe's subscription. */
  readonly plan: PlanName;
  /** The plan that is agreed on once the transition in progress is complete. */
  readonly targetPlan?: PlanName | undefined;
  /** When the transition in progress is overdue. */
  readonly deadline?: Date | undefined;
}

/** An entry as a line of JSON: kept so in Redis, and inserted so into ClickHouse. Times in epoch ms. */
export const rowOf = (entry: LifecycleEntry) => ({
  tenant_id: entry.tenantId,
  version: entry.version,
  event: entry.event,
  from_state: entry.from,
  to_state: entry.state,
  at: entry.at.getTime(),
  by_whom: entry.by,
  reason: entry.reason ?? '',
  plan: entry.plan,
  target_plan: entry.targetPlan ?? ('' as const),
  deadline: entry.deadline?.getTime() ?? null,
});
export type LifecycleRow = ReturnType<typeof rowOf>;

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
    // A server may send 64-bit numbers as text.
    deadline: row.deadline === null ? undefined : new Date(Number(row.deadline)),
  };
}
