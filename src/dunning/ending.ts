/** How it came that a tenant owes nothing any more, which need not be a payment. */
import Stripe from 'stripe';
import { subscriptionOf } from '../billing/context.js';
import { BY_COUNT } from './records.js';

/**
 * `over`: paid, when its subscription had ended; `withdrawn`: the invoice was voided; `expired`: it was the first
 * one of a subscription that was not paid in time and never began; `other`: a person decided so, or Stripe does
 * not know the invoice.
 */
export type Ending = 'paid' | 'over' | 'withdrawn' | 'expired' | 'other';

/** @param invoiceId the one that the tenant was chased for */
export async function endingOf(stripe: Stripe, invoiceId: string): Promise<Ending> {
  if (invoiceId === BY_COUNT) return 'other';
  try {
    const invoice = await stripe.invoices.retrieve(invoiceId);
    if (invoice.status !== 'paid' && invoice.status !== 'void') return 'other';
    const subscription = await statusOfSubscription(stripe, invoice);
    if (invoice.status === 'paid') return subscription === 'canceled' ? 'over' : 'paid';
    return subscription === 'incomplete_expired' ? 'expired' : 'withdrawn';
  } catch (error) {
    // Of another account, from before the key was changed.
    const isMissing = error instanceof Stripe.errors.StripeInvalidRequestError;
    if (isMissing && error.code === 'resource_missing') return 'other';
    throw error;
  }
}

async function statusOfSubscription(stripe: Stripe, invoice: Stripe.Invoice): Promise<string | undefined> {
  const subscription = subscriptionOf(invoice);
  return subscription && (await stripe.subscriptions.retrieve(subscription)).status;
}
