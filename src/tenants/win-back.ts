/**
 * A tenant that was deleted softly, or whose subscription ended, comes back with its data: a new
 * subscription, its limits, and a new key. What fails on the way is taken back.
 */
import type { PlanName } from '../plans.js';
import { type DeletionParts, endSubscription, endTenant } from './delete-tenant.js';
import type { LifecycleEntry } from './lifecycle-entry.js';
import { NoSubscriptionError } from './no-subscription-error.js';
import type { TenantBilling } from './tenant-billing.js';

/** A new subscription that lets nobody in, or is on another plan than was asked for; it was ended again. */
export class NotWonBackError extends Error {
  override readonly name = 'NotWonBackError';

  constructor(
    readonly tenantId: string,
    readonly status: string,
    readonly plan: PlanName,
  ) {
    super(`Cannot win ${tenantId} back: its new subscription to ${plan} is ${status} at Stripe`);
  }
}

export interface WinBackParts extends DeletionParts {
  readonly billing: DeletionParts['billing'] & Pick<TenantBilling, 'createSubscription' | 'owedCents'>;
  /** Makes a key, which is shown once. */
  readonly issueKey: (tenantId: string) => Promise<string>;
}

export interface WonBack {
  readonly tenant: LifecycleEntry;
  readonly key: string;
  /** What it owes from before. Until that is paid the dunning suspends it again, with the next round. */
  readonly owedCents: number;
}

/**
 * @param request `plan`: another one than it had
 * @throws TransitionRefusedError with the current state, e.g. after the purge.
 * @throws MissingCardError for a tenant whose card is gone, NotWonBackError for one whose card is declined,
 *   SubscriptionLeavingError for one whose subscription had still to end, or what Stripe says; it is as it was then.
 * @example const { key } = await winBack(parts, { tenantId: 'acme-corp', by: 'support' });
 */
export async function winBack(
  parts: WinBackParts,
  { tenantId, by, plan }: { tenantId: string; by: string; plan?: PlanName },
): Promise<WonBack> {
  const { lifecycle, billing } = parts;
  let key = '';
  let owedCents = 0;
  try {
    const tenant = await lifecycle.during({ tenantId, event: 'win_back', plan, by }, async (begun) => {
      const customerId = await billing.findCustomer(tenantId);
      if (!customerId) throw new NoSubscriptionError(tenantId);
      // It had its trial.
      const wanted = { customerId, tenantId, planType: plan ?? begun.plan, trialDays: 0 };
      const { status, planType } = await billing.createSubscription(wanted);
      const { isActive } = await parts.followTerms({ tenantId, customerId });
      // A card that was declined; or what an earlier try left, on another plan.
      if (!isActive || planType !== wanted.planType) throw new NotWonBackError(tenantId, status, planType);
      owedCents = await billing.owedCents(customerId);
      // Last, since it cannot be shown again.
      key = await parts.issueKey(tenantId);
    });
    return { tenant, key, owedCents };
  } catch (error) {
    // Each by the state that it is in again, if it had begun. What fails here ends in the next round.
    await Promise.allSettled([endTenant(parts, tenantId), endSubscription(parts, tenantId, 'cancelled')]);
    throw error;
  }
}
