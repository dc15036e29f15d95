/** Stripe's event in the few words that are kept of it. */
import type Stripe from 'stripe';
import type { WebhookEvent } from './webhook-event.js';

/** An event as the queue keeps it; undefined for what is none. */
export function eventOf({ id, type, created, data }: Stripe.Event): WebhookEvent | undefined {
  // An account's balance, for one, has no id; nobody handles it, and Stripe must not try it for days.
  const { id: objectId = '' } = data.object as { id?: string };
  const isEvent = [id, type, objectId].every((text) => typeof text === 'string');
  return isEvent ? { id, type, created, objectId } : undefined;
}
