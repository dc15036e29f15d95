/** A tenant as it stands at Stripe. */
import type { PlanName } from '../../plans.js';
import type { InvoicedLine } from './invoiced-line.js';

export interface StripeTenant {
  readonly tenantId: string;
  /** Ids of its customers, the oldest first: it should have one. */
  readonly customers: readonly string[];
  /** All that ever were, in the order in which they count: live ones before ended ones. */
  readonly subscriptions: readonly StripeSubscription[];
  /** Of all its invoices, and what waits for the next. */
  readonly lines: readonly InvoicedLine[];
}

export interface StripeSubscription {
  readonly id: string;
  readonly customerId: string;
  /** As Stripe has it: trialing, active, past_due, … */
  readonly status: string;
  readonly isLive: boolean;
  /** Whether it ends with its period. */
  readonly isLeaving: boolean;
  /** By the price that is charged; undefined for one that is not the kit's. */
  readonly plan: PlanName | undefined;
  /** Whether today's catalogue has another price for it. */
  readonly hasOlderPrice: boolean;
  /** By the metadata, which the billing manager reads. */
  readonly namedPlan: string | undefined;
  readonly created: Date;
  readonly trialEnd: Date | undefined;
  readonly endedAt: Date | undefined;
}

/** The customer that is billed: of the subscription that counts, or else the oldest. */
export function customerOf({ subscriptions, customers }: StripeTenant): string | undefined {
  return subscriptions[0]?.customerId ?? customers[0];
}

/** What is live before what may become so, and that before what ended. */
export function inRank(subscriptions: readonly StripeSubscription[]): StripeSubscription[] {
  const rank = ({ isLive, status }: StripeSubscription) => (!isLive ? 2 : status === 'incomplete' ? 1 : 0);
  // The older of two that live; of those that ended the last one tells how it stands.
  const age = ({ isLive, created }: StripeSubscription) => (isLive ? 1 : -1) * created.getTime();
  return [...subscriptions].sort((one, other) => rank(one) - rank(other) || age(one) - age(other));
}
