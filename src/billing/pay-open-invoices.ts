/** Charges what a customer owes. */
import Stripe from 'stripe';
import { PaymentUnderWayError } from './billing-errors.js';
import type { BillingContext } from './context.js';
import { isIdempotencyConflict } from './idempotency-conflict.js';

/** The work of {@link StripeBillingManager.payOpenInvoices}. */
export async function payOpenInvoices(context: BillingContext, customerId: string): Promise<string[]> {
  const ids = (await owedBy(context, customerId)).map(({ id = '' }) => id);
  for (const id of ids) await payOnce(context, id);
  return ids;
}

/** The work of {@link StripeBillingManager.owedCents}. */
export async function owedCents(context: BillingContext, customerId: string): Promise<number> {
  const owed = await owedBy(context, customerId);
  return owed.reduce((sum, { amount_remaining: remaining }) => sum + remaining, 0);
}

/** Oldest first. */
async function owedBy({ stripe }: BillingContext, customerId: string): Promise<Stripe.Invoice[]> {
  const owed: Stripe.Invoice[] = [];
  for (const status of ['open', 'uncollectible', 'draft'] as const) {
    for await (const invoice of stripe.invoices.list({ customer: customerId, status, limit: 100 })) {
      if (isOwed(invoice)) owed.push(invoice);
    }
  }
  return owed.sort((one, other) => one.created - other.created);
}

async function payOnce({ stripe, now }: BillingContext, id: string): Promise<void> {
  try {
    // Another try is another intent: a decline must not come back for the next card.
    await stripe.invoices.pay(id, {}, { idempotencyKey: `pay:${id}:${now().toISOString()}` });
  } catch (error) {
    if (isIdempotencyConflict(error)) throw new PaymentUnderWayError(id, { cause: error });
    // Somebody else was quicker.
    const isRefused = error instanceof Stripe.errors.StripeInvalidRequestError;
    if (!isRefused || (await stripe.invoices.retrieve(id)).status !== 'paid') throw error;
  }
}

/**
 * Of drafts those that an unpaid subscription holds back; the others go their way by themselves. An
 * uncollectible invoice is still owed, unless it is the negative last one of a subscription.
 */
const isOwed = ({ status, auto_advance: advances, amount_remaining: remaining }: Stripe.Invoice) =>
  status === 'draft' ? !advances : remaining > 0;
