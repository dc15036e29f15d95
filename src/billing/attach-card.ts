/** The card that is charged. */
import Stripe from 'stripe';
import { type BillingContext, METADATA, nextChange } from './context.js';

/** The work of {@link StripeBillingManager.attachPaymentMethod}. */
export async function attachCard(
  { stripe }: BillingContext,
  { customerId, paymentMethodId }: { customerId: string; paymentMethodId: string },
): Promise<void> {
  const customer = await stripe.customers.retrieve(customerId);
  const change = customer.deleted ? '1' : nextChange(customer);
  const metadata = { [METADATA.change]: change };
  const intent = `card:${customerId}:${paymentMethodId}:${change}`;
  try {
    const attach = { idempotencyKey: `${intent}:attach` };
    const { id } = await stripe.paymentMethods.attach(paymentMethodId, { customer: customerId }, attach);
    await stripe.customers.update(
      customerId,
      { invoice_settings: { default_payment_method: id }, metadata },
      { idempotencyKey: `${intent}:default` },
    );
  } catch (error) {
    // Stripe keeps its refusal for a day under the key; whoever tries the card again means it anew.
    if (error instanceof Stripe.errors.StripeCardError)
      await stripe.customers.update(customerId, { metadata }, { idempotencyKey: `${intent}:refused` });
    throw error;
  }
}

/** The work of {@link StripeBillingManager.hasCard}. */
export async function hasCard({ stripe }: BillingContext, customerId: string): Promise<boolean> {
  const customer = await stripe.customers.retrieve(customerId);
  return !customer.deleted && customer.invoice_settings.default_payment_method !== null;
}
