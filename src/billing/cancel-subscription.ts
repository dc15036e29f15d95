/** The end of a subscription, and its taking back. */
import type Stripe from 'stripe';
import { SubscriptionEndedError } from './billing-errors.js';
import { applyWaitingChange } from './change-plan.js';
import { type BillingContext, fromSeconds, METADATA, nextChange, reportUsageOf } from './context.js';
import { creditLeftFee } from './credit-left-fee.js';
import type { Cancellation, SubscriptionState } from './shapes.js';
import { hasEnded, stateOf } from './subscription-state.js';

/** The work of {@link StripeBillingManager.cancelSubscription}. */
export async function cancelSubscription(
  context: BillingContext,
  { subscriptionId, atPeriodEnd = true }: Cancellation,
): Promise<SubscriptionState> {
  const { subscriptions } = context.stripe;
  if (atPeriodEnd) {
    const subscription = await subscriptions.retrieve(subscriptionId);
    return hasEnded(subscription) ? stateOf(subscription) : endAtPeriod(context, subscription, true);
  }
  // What is due is no wish any more: the last month is billed by it.
  await applyWaitingChange(context, subscriptionId);
  let subscription = await subscriptions.retrieve(subscriptionId);
  if (!hasEnded(subscription)) {
    await reportUsageOf(context, subscription, 'end');
    // Stripe takes no idempotency key with a DELETE: what has ended is not ended again.
    subscription = await subscriptions.cancel(subscriptionId, { invoice_now: true, prorate: true });
  }
  // Also where it had ended: by a process that was killed here.
  const { ended_at: ended } = subscription;
  if (ended !== null) await creditLeftFee(context, subscription, { from: fromSeconds(ended) });
  return stateOf(subscription);
}

/** The work of {@link StripeBillingManager.resumeSubscription}. */
export async function resumeSubscription(
  context: BillingContext,
  subscriptionId: string,
): Promise<SubscriptionState> {
  const subscription = await context.stripe.subscriptions.retrieve(subscriptionId);
  if (hasEnded(subscription)) throw new SubscriptionEndedError(subscriptionId, subscription.status);
  return endAtPeriod(context, subscription, false);
}

async function endAtPeriod(
  { stripe }: BillingContext,
  subscription: Stripe.Subscription,
  ends: boolean,
): Promise<SubscriptionState> {
  if (subscription.cancel_at_period_end === ends) return stateOf(subscription);
  const change = nextChange(subscription);
  const changed = await stripe.subscriptions.update(
    subscription.id,
    { cancel_at_period_end: ends, metadata: { [METADATA.change]: change } },
    { idempotencyKey: `${ends ? 'leave' : 'stay'}:${subscription.id}:${change}` },
  );
  return stateOf(changed);
}
