/** Charges what a customer owes. */
import type Stripe from 'stripe';
import type { BillingContext } from './context.js';

/** The work of {@link StripeBillingManager.payOpenInvoices}. */
export async function payOpenInvoices(
  { stripe, now }: BillingContext,
  customerId: string,
): Promise<string[]> {
  const owed: Stripe.Invoice[] = [];
  for (const status of ['open', 'uncollectible', 'draft'] as const) {
    for await (const invoice of stripe.invoices.list({ customer: customerId, status, limit: 100 })) {
      if (isOwed(invoice)) owed.push(invoice);
    }
  }
  const ids = owed.sort((one, other) => one.created - other.created).map(({ id = '' }) => id);
  for (const id of ids) {
    // Another try is another intent: a decline must not come back for the next card.
    await stripe.invoices.pay(id, {}, { idempotencyKey: `pay:${id}:${now().toISOString()}` });
  }
  return ids;
}

/**
 * Of drafts those that an unpaid subscription holds back; the others go their way by themselves. An
 * uncollectible invoice is still owed, unless it is the negative last one of a subscription.
 */
const isOwed = ({ status, auto_advance: advances, amount_remaining: remaining }: Stripe.Invoice) =>
  status === 'draft' ? !advances : remaining > 0;
