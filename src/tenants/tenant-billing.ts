/** What the life of a tenant needs of its billing, in the words of the StripeBillingManager, which fits. */
import type { PlanName } from '../plans.js';

export interface TenantSubscription {
  readonly subscriptionId: string;
  /** As Stripe has it: trialing, active, past_due, … */
  readonly status: string;
  /** The plan that is billed now. */
  readonly planType: PlanName;
}

/** What a change costs now. */
export interface Proration {
  readonly lines: readonly { readonly description: string; readonly amountCents: number }[];
  readonly totalCents: number;
}

export interface PlanChange {
  readonly subscriptionId: string;
  readonly planType: PlanName;
}

export interface TenantBilling {
  findCustomer(tenantId: string): Promise<string | undefined>;
  getOrCreateCustomer(contact: { tenantId: string; email: string; name: string }): Promise<string>;
  hasCard(customerId: string): Promise<boolean>;
  attachPaymentMethod(card: { customerId: string; paymentMethodId: string }): Promise<void>;
  findSubscription(customerId: string): Promise<TenantSubscription | undefined>;
  previewPlanChange(change: PlanChange): Promise<Proration>;
  changePlan(change: PlanChange): Promise<{ readonly changesAt: Date | null }>;
  createSubscription(given: {
    customerId: string;
    planType: PlanName;
    tenantId: string;
    trialDays: number;
  }): Promise<TenantSubscription>;
  /** What it has not paid, of earlier subscriptions too. */
  owedCents(customerId: string): Promise<number>;
  cancelSubscription(given: { subscriptionId: string; atPeriodEnd: boolean }): Promise<unknown>;
}

/**
 * Brings a tenant's terms, and the plan at the gate, to what Stripe has; takes the tenant's lock.
 *
 * @returns whether Stripe lets it in now
 */
export type FollowTerms = (tenant: {
  tenantId: string;
  customerId: string;
}) => Promise<{ isActive: boolean }>;

/** By its status at Stripe. */
export const hasEnded = (status: string) => status === 'canceled' || status === 'incomplete_expired';

/** The customer of a tenant and its subscription, each if there is one; none that has ended. */
export async function findBilled(
  billing: Pick<TenantBilling, 'findCustomer' | 'findSubscription'>,
  tenantId: string,
): Promise<{ customerId?: string; subscription?: TenantSubscription }> {
  const customerId = await billing.findCustomer(tenantId);
  if (!customerId) return {};
  const subscription = await billing.findSubscription(customerId);
  return { customerId, ...(subscription && !hasEnded(subscription.status) && { subscription }) };
}
