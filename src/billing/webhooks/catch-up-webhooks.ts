/**
 * Events that never arrived: Stripe gives up after three days, and a wiped Redis has lost what it had
 * taken. Stripe lists its events for thirty days, so they are read from there; what the queue knows is
 * not stored again, and what was handled long ago changes nothing when it is handled again.
 */
import { DAY_MS } from '../../period.js';
import type { StripeClient } from '../../stripe-client.js';
import { toSeconds } from '../context.js';
import { sdkOf } from '../sdk.js';
import { HANDLED_TYPES } from './handle-webhook.js';
import { eventOf, type WebhookEvent } from './webhook-event.js';
import type { WebhookQueue } from './webhook-queue.js';

/** Before the newest that was handled there may be others that Stripe is still trying to deliver. */
const STRIPE_TRIES_MS = 3 * DAY_MS;

/**
 * Puts all into the queue that Stripe lists since the newest event that was handled, or of the last thirty
 * days when none is known, less those that the queue has.
 *
 * @returns how many Stripe listed
 * @example await catchUpWebhooks(stripe, queue); // at the start, and every hour
 */
export async function catchUpWebhooks(
  client: StripeClient,
  queue: Pick<WebhookQueue, 'add' | 'newestHandled'>,
): Promise<number> {
  const newest = await queue.newestHandled();
  const since = newest && new Date(newest.getTime() - STRIPE_TRIES_MS);
  const events = await listWebhookEvents(client, { types: HANDLED_TYPES, ...(since && { since }) });
  for (const event of events) await queue.add(event);
  return events.length;
}

/**
 * The events that Stripe lists, newest first; it keeps them for thirty days.
 *
 * @example await listWebhookEvents(stripe, { types: ['invoice.paid'] })
 */
export async function listWebhookEvents(
  client: StripeClient,
  { types, since }: { types: readonly string[]; since?: Date },
): Promise<WebhookEvent[]> {
  const after = since && { created: { gte: toSeconds(since) } };
  const found: WebhookEvent[] = [];
  for await (const event of sdkOf(client).events.list({ types: [...types], limit: 100, ...after })) {
    const known = eventOf(event);
    if (known) found.push(known);
  }
  return found;
}
