/** The end of a subscription, and its taking back. */
import type Stripe from 'stripe';
import { SubscriptionEndedError } from './billing-errors.js';
import { applyWaitingChange } from './change-plan.js';
import { type BillingContext, fromSeconds, idOf, METADATA, nextChange, reportUsageOf } from './context.js';
import { creditLeftFee, owesTimeFrom } from './credit-left-fee.js';
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
  const subscription = await subscriptions.retrieve(subscriptionId);
  const ended = hasEnded(subscription) ? subscription : await endNow(context, subscription);
  // Also of one that had ended: the process may have been killed here.
  if (ended.ended_at !== null && ended.cancellation_details?.comment === CREDITED_HERE)
    await creditLeftFee(context, ended, { from: fromSeconds(ended.ended_at) });
  return stateOf(ended);
}

/** What says of an end that the unused time is not credited by Stripe. */
const CREDITED_HERE = 'The unused time is taken off the fee';

async function endNow(context: BillingContext, before: Stripe.Subscription): Promise<Stripe.Subscription> {
  const { stripe, now } = context;
  const { id, status, latest_invoice: first } = before;
  // Its first invoice would be owed for nothing. Without it the subscription may be over.
  if (status === 'incomplete' && first) await voidOpen(stripe, idOf(first));
  await reportUsageOf(context, before, 'end');
  const isOwed = await owesTimeFrom(context, before, now());
  try {
    // Stripe takes no idempotency key with a DELETE: what has ended is not ended again.
    return await stripe.subscriptions.cancel(id, {
      invoice_now: true,
      prorate: !isOwed,
      ...(isOwed && { cancellation_details: { comment: CREDITED_HERE } }),
    });
  } catch (error) {
    // Its answer was lost, or somebody else was quicker.
    const after = await stripe.subscriptions.retrieve(id);
    if (!hasEnded(after)) throw error;
    return after;
  }
}

async function voidOpen({ invoices }: Stripe, id: string): Promise<void> {
  const { status } = await invoices.retrieve(id);
  if (status === 'open') await invoices.voidInvoice(id, {}, { idempotencyKey: `void:${id}` });
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
