/** `POST /webhooks/stripe`: signed by Stripe, stored, answered; what it leads to comes afterwards. */
import { verifyWebhookSignature } from '../billing/webhooks/verify-webhook.js';
import type { WebhookQueue } from '../billing/webhooks/webhook-queue.js';
import { WebhookRefusedError } from '../errors.js';
import { problem } from './problem.js';

export interface WebhookRouteOptions {
  /** The endpoint's `whsec_…`; without one nothing is accepted. */
  readonly secret: string | undefined;
  readonly queue: Pick<WebhookQueue, 'add'>;
  /** The clock of the signatures, which is the real one. @default () => new Date() */
  readonly now?: () => Date;
}

/**
 * Answers 200 once the event is stored, and never otherwise: Stripe sends it again for three days.
 *
 * @example const webhooks = webhookRoute({ secret, queue }); // for createApp({ webhooks, … })
 */
export function webhookRoute({ secret, queue, now = () => new Date() }: WebhookRouteOptions) {
  return async (request: Request): Promise<Response> => {
    if (!secret) return problem(503, 'Webhooks are not set up here: STRIPE_WEBHOOK_SECRET is not set');
    const body = new Uint8Array(await request.arrayBuffer());
    const signature = request.headers.get('stripe-signature') ?? undefined;
    try {
      await queue.add(verifyWebhookSignature({ body, signature, secret, now: now() }));
    } catch (error) {
      if (error instanceof WebhookRefusedError) return problem(400, error.message);
      console.error(error);
      return problem(503, 'The event could not be stored; send it again', { 'retry-after': '5' });
    }
    return Response.json({ received: true });
  };
}
