/** The one way in for webhooks: whoever knows the endpoint's secret, and nobody else. */
import Stripe from 'stripe';
import { WebhookRefusedError } from '../../errors.js';
import { eventOf, type WebhookEvent } from './webhook-event.js';

/** How old a signature may be. */
const TOLERANCE_SECONDS = 300;

/** Each byte counts: the decoder must neither drop a mark at the beginning nor mend what is no UTF-8. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Checks the signature over the body as it came, byte for byte, and reads the event.
 *
 * @param request `signature` is the header `Stripe-Signature`
 * @throws WebhookRefusedError for a missing, wrong or old signature, a missing secret, and a body that
 *   is no event
 * @example const event = verifyWebhookSignature({ body, signature, secret });
 */
export function verifyWebhookSignature(request: {
  body: string | Uint8Array;
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
      typeof body === 'string' ? body : utf8.decode(body),
      signature,
      secret,
      TOLERANCE_SECONDS,
      undefined,
      now.getTime(),
    );
    const read = eventOf(event);
    if (!read) throw new WebhookRefusedError('its body is no event');
    return read;
  } catch (error) {
    if (error instanceof WebhookRefusedError) throw error;
    throw new WebhookRefusedError('its signature does not fit, or is too old', { cause: error });
  }
}
