/** The types of events that the local Stripe sends: an endpoint can ask for these. */
import type Stripe from 'stripe';

type EventType = Stripe.WebhookEndpointCreateParams.EnabledEvent;

export const EVENT_TYPES: readonly string[] = [
  ...names('billing.meter', 'created'),
  ...names('charge', 'dispute.created', 'failed', 'succeeded'),
  ...names('customer', 'created', 'deleted', 'updated'),
  ...names('customer.subscription', 'created', 'deleted', 'paused', 'trial_will_end', 'updated'),
  ...names('invoice', 'created', 'finalized', 'marked_uncollectible', 'paid', 'payment_failed'),
  ...names('invoice', 'payment_succeeded', 'updated', 'voided'),
  ...names('invoice_payment', 'paid'),
  ...names('invoiceitem', 'created', 'deleted'),
  ...names('payment_intent', 'canceled', 'created', 'payment_failed', 'succeeded'),
  ...names('payment_method', 'attached', 'detached'),
  ...names('price', 'created', 'updated'),
  ...names('product', 'created'),
  ...names('test_helpers.test_clock', 'advancing', 'created', 'deleted', 'ready'),
];

function names<const Kind extends string, const Ending extends string>(
  kind: Kind,
  ...endings: (`${Kind}.${Ending}` extends EventType ? Ending : never)[]
): string[] {
  return endings.map((ending) => `${kind}.${ending}`);
}
