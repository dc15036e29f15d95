/** The one way in for webhooks: whoever knows the endpoint's secret, and nobody else. */
import Stripe from 'stripe';
import { WebhookRefusedError } from '../../errors.js';

/** What a handler needs of an event: it looks the object up at Stripe, since its copy here may be old. */
export interface WebhookEvent {
  readonly id: string;
  /** e.g. `invoice.payment_failed` */
  readonly type: string;
  /** When it came to be, in epoch seconds. Events come in any order, and many in one second. */
  readonly created: number;
  /** Id of the invoice, subscription, dispute … that it is about. */
  readonly objectId: string;
}

/** How old a signature may be. */
const TOLERANCE_SECONDS = 300;

/**
 * Checks the signature over the body as it came, byte for byte, and reads the event.
 *
 * @param request `signature` is the header `Stripe-Signature`
 * @throws WebhookRefusedError for a missing, wrong or old signature, a missing secret, and a body that
 *   is no event
 * @example const event = verifyWebhookSignature({ body, signature, secret: process.env.STRIPE_WEBHOOK_SECRET });
 */
export function verifyWebhookSignature(request: {
  body: string;
  signature: string | undefined;
  secret: string | undefined;
  now?: Date;
}): WebhookEvent {
  const { body, signature, secret, now = new Date() } = request;
  // Without a secret the SDK would sign with an empty one, and so could anybody.
  if (!secret) throw new WebhookRefusedError('STRIPE_WEBHOOK_SECRET is not set');
  if (!signature) throw new WebhookRefusedError('it has no Stripe-Signature header');
  try {
    const event = Stripe.webhooks.constructEvent(
      body,
      signature,
      secret,
      TOLERANCE_SECONDS,
      undefined,
      now.getTime(),
    );
    const { id } = event.data.object as { id?: string };
    if (typeof event.id !== 'string' || typeof event.type !== 'string' || typeof id !== 'string') {
      throw new WebhookRefusedError('its body is no event about an object');
    }
    return { id: event.id, type: event.type, created: event.created, objectId: id };
  } catch (error) {
    if (error instanceof WebhookRefusedError) throw error;
    throw new WebhookRefusedError('its signature does not fit, or is too old', { cause: error });
  }
}
