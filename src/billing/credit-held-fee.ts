/**
 * The month's fee of a plan that was left, on a draft that an unpaid subscription holds back. Of a draft that it
 * holds back Stripe credits nothing, and yet it is charged once the tenant pays: the month would be billed twice.
 */
import type Stripe from 'stripe';
import { monthOf, previousMonth } from '../period.js';
import { type BillingContext, idOf, METADATA, toSeconds } from './context.js';
import { correctInvoice } from './reconcile/correct-invoice.js';
import { stateOf } from './subscription-state.js';

/**
 * Takes the fee off the draft, unless Stripe has credited it with the change. What a kill leaves undone the
 * reconciliation finds.
 *
 * @param change the subscription before the change and after it, and from when the change holds
 */
export async function creditHeldFee(
  { stripe }: Pick<BillingContext, 'stripe'>,
  { before, after, from }: { before: Stripe.Subscription; after: Stripe.Subscription; from: Date },
): Promise<void> {
  if (before.status !== 'unpaid' || !after.latest_invoice) return;
  const { lines: billed } = await stripe.invoices.retrieve(idOf(after.latest_invoice));
  if (billed.data.some((line) => isFee(line, before, from) && line.amount < 0)) return;
  const drafts = stripe.invoices.list({ subscription: before.id, status: 'draft', limit: 100 });
  for await (const { id: draft = '', auto_advance: advances, lines } of drafts) {
    const fee = lines.data.find((line) => isFee(line, before, from) && line.amount > 0);
    if (!fee || advances) continue;
    const { planType: plan } = stateOf(before);
    const correction = {
      tenantId: before.metadata[METADATA.tenant] ?? '',
      customerId: idOf(before.customer),
      subscriptionId: before.id,
      // A fee in advance is on the plan invoice of the month before.
      month: previousMonth(from).name,
      kind: 'base' as const,
      plan,
      words: `${plan} base fee`,
      period: monthOf(from),
      queries: 0,
      amountCents: -fee.amount,
      revision: 1,
    };
    await correctInvoice(stripe, correction, { draft });
  }
}

/** Of the licensed price that the subscription had, from that instant on. */
function isFee({ pricing, period }: Stripe.InvoiceLineItem, { items }: Stripe.Subscription, from: Date) {
  const fee = items.data.find(({ price }) => price.recurring?.usage_type !== 'metered');
  const price = pricing?.price_details?.price;
  return price !== undefined && idOf(price) === fee?.price.id && period.start === toSeconds(from);
}
