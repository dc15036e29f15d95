/**
 * Charges what unpaid subscriptions held back, when their customers have paid otherwise than by
 * `payOpenInvoices()`: in Stripe's dashboard, say. The gate opens then by itself, and Stripe leaves the
 * drafts. What is due follows from the invoices as they are, not from an event: so this belongs into a round
 * that is repeated, and may be repeated at any time.
 */
import type Stripe from 'stripe';
import type { StripeClient } from '../stripe-client.js';
import { idOf, subscriptionOf } from './context.js';
import { sdkOf } from './sdk.js';

/**
 * Finalizes held drafts, the oldest first; Stripe then charges them, and tries again, as any other invoice.
 * Stripe keeps customers on test clocks apart: drafts of theirs may not be listed, and are left to
 * `payOpenInvoices()`.
 *
 * @returns ids of the invoices that were finalized now
 * @throws AggregateError when some could not be; the others are.
 * @example await chargeHeldDrafts(stripe); // every hour
 */
export async function chargeHeldDrafts(client: StripeClient): Promise<string[]> {
  const stripe = sdkOf(client);
  const drafts: Stripe.Invoice[] = [];
  for await (const draft of stripe.invoices.list({ status: 'draft', limit: 100 })) {
    if (!draft.auto_advance && draft.billing_reason === 'subscription_cycle') drafts.unshift(draft);
  }
  const finalized: string[] = [];
  const errors: Error[] = [];
  for (const draft of drafts) {
    try {
      // Read anew for each: the one before is open now, and if it is declined the next one has to wait.
      if (!(await isReleased(stripe, draft))) continue;
      const id = draft.id as string;
      await stripe.invoices.finalizeInvoice(id, { auto_advance: true }, { idempotencyKey: `finalize:${id}` });
      finalized.push(id);
    } catch (error) {
      errors.push(error as Error);
    }
  }
  if (errors[0]) throw new AggregateError(errors, `${errors.length} held drafts wait: ${errors[0].message}`);
  return finalized;
}

/**
 * Whether a draft was held for an earlier invoice of its subscription, which was settled since, and nothing
 * else is owed. A draft that a person has stopped follows an invoice that was paid in time; collection that a
 * person has paused stays so.
 */
async function isReleased(stripe: Stripe, draft: Stripe.Invoice): Promise<boolean> {
  const subscription = subscriptionOf(draft);
  if (!subscription || !draft.customer) return false;
  const { pause_collection: pause } = await stripe.subscriptions.retrieve(subscription);
  if (pause) return false;
  let wasOwed = false;
  for await (const other of stripe.invoices.list({ customer: idOf(draft.customer), limit: 100 })) {
    if (isOwed(other)) return false;
    const { paid_at: paid, voided_at: voided } = other.status_transitions;
    const isEarlier = other.created < draft.created && subscriptionOf(other) === subscription;
    if (isEarlier && (paid ?? voided ?? 0) > draft.created) wasOwed = true;
  }
  return wasOwed;
}

/** As the dunning sees it: what is given up as uncollectible is owed still. */
const isOwed = ({ status, amount_remaining: remaining }: Stripe.Invoice) =>
  (status === 'open' || status === 'uncollectible') && remaining > 0;
