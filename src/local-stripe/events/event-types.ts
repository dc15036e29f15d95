/** The types of events that an endpoint can ask for. */
import type Stripe from 'stripe';

type EventType = Stripe.WebhookEndpointCreateParams.EnabledEvent;

/** Those that the local Stripe sends. */
const SENT = [
  ...names('billing.meter', 'created', 'deactivated', 'reactivated', 'updated'),
  ...names('charge', 'dispute.created', 'failed', 'succeeded'),
  ...names('customer', 'created', 'deleted', 'updated'),
  ...names('customer.subscription', 'created', 'deleted', 'paused', 'resumed', 'trial_will_end', 'updated'),
  ...names('invoice', 'created', 'finalized', 'marked_uncollectible', 'paid', 'payment_failed'),
  ...names('invoice', 'payment_succeeded', 'updated', 'voided'),
  ...names('invoice_payment', 'paid'),
  ...names('invoiceitem', 'created', 'deleted'),
  ...names('payment_intent', 'canceled', 'created', 'payment_failed', 'succeeded'),
  ...names('payment_method', 'attached', 'detached'),
  ...names('price', 'created', 'updated'),
  ...names('product', 'created', 'updated'),
  ...names('test_helpers.test_clock', 'advancing', 'created', 'deleted', 'ready'),
];

/** Stripe's, which never come here: an endpoint that asks for them can be tried out all the same. */
const NEVER_SENT = [
  ...names('charge', 'expired', 'pending', 'refunded', 'updated'),
  ...names('charge.dispute', 'closed', 'updated'),
  ...names('checkout.session', 'completed', 'expired'),
  ...names('customer.subscription', 'pending_update_applied', 'pending_update_expired'),
  ...names(
    'invoice',
    'deleted',
    'finalization_failed',
    'overdue',
    'payment_action_required',
    'sent',
    'upcoming',
  ),
  ...names('payment_intent', 'processing', 'requires_action'),
  ...names('payment_method', 'updated'),
  ...names('price', 'deleted'),
  ...names('product', 'deleted'),
];

export const EVENT_TYPES: readonly string[] = [...SENT, ...NEVER_SENT];

function names<const Kind extends string, const Ending extends string>(
  kind: Kind,
  ...endings: (`${Kind}.${Ending}` extends EventType ? Ending : never)[]
): string[] {
  return endings.map((ending) => `${kind}.${ending}`);
}
