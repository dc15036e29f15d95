/** A customer's subscriptions, and the one that counts. */
import type Stripe from 'stripe';
import type { BillingContext } from './context.js';
import type { SubscriptionState } from './shapes.js';
import { hasEnded, stateOf } from './subscription-state.js';

/** All that a customer ever had, newest first. */
export const subscriptionsOf = (stripe: Stripe, customer: string) =>
  stripe.subscriptions.list({ customer, status: 'all', limit: 100 }).autoPagingToArray({ limit: 1_000 });

/** The work of {@link StripeBillingManager.findSubscription}. */
export async function findSubscription(
  { stripe }: BillingContext,
  customerId: string,
): Promise<SubscriptionState | undefined> {
  const all = await subscriptionsOf(stripe, customerId);
  // A newer one may have ended before: a double that was made by mistake and cancelled.
  const found = all.find((subscription) => !hasEnded(subscription)) ?? all[0];
  return found && stateOf(found);
}
