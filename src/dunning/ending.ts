/** How it came that a tenant owes nothing any more, which need not be a payment. */
import Stripe from 'stripe';
import { BY_COUNT } from './records.js';

/**
 * `withdrawn`: the invoice was voided; `expired`: it was the first one of a subscription that was not paid in
 * time and never began; `other`: a person decided so, or Stripe does not know the invoice.
 */
export type Ending = 'paid' | 'withdrawn' | 'expired' | 'other';

/** @param invoiceId the one that the tenant was chased for */
export async function endingOf(stripe: Stripe, invoiceId: string): Promise<Ending> {
  if (invoiceId === BY_COUNT) return 'other';
  try {
    const { status, parent } = await stripe.invoices.retrieve(invoiceId);
    if (status === 'paid') return 'paid';
    if (status !== 'void') return 'other';
    const subscription = parent?.subscription_details?.subscription;
    if (!subscription) return 'withdrawn';
    const id = typeof subscription === 'string' ? subscription : subscription.id;
    const isExpired = (await stripe.subscriptions.retrieve(id)).status === 'incomplete_expired';
    return isExpired ? 'expired' : 'withdrawn';
  } catch (error) {
    // Of another account, from before the key was changed.
    const isMissing = error instanceof Stripe.errors.StripeInvalidRequestError;
    if (isMissing && error.code === 'resource_missing') return 'other';
    throw error;
  }
}
