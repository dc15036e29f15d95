/** The card that is charged. */
import Stripe from 'stripe';
import { type BillingContext, METADATA, nextChange } from './context.js';
import { existingCustomer } from './existing-customer.js';

/** The work of {@link StripeBillingManager.attachPaymentMethod}. */
export async function attachCard(
  { stripe }: BillingContext,
  { customerId, paymentMethodId }: { customerId: string; paymentMethodId: string },
): Promise<void> {
  const customer = await existingCustomer(stripe, customerId);
  const change = customer ? nextChange(customer) : '1';
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
export async function hasCard(
  { stripe }: Pick<BillingContext, 'stripe'>,
  customerId: string,
): Promise<boolean> {
  return Boolean((await existingCustomer(stripe, customerId))?.invoice_settings.default_payment_method);
}
