/**
 * Sends an account's events to an address of ours, signed, and again where they are refused: what Stripe
 * does for an endpoint on the internet, for one on a laptop.
 */
import Stripe from 'stripe';
import type { StripeClient } from '../../stripe-client.js';
import { sdkOf } from '../sdk.js';

export interface ForwardOptions {
  /** Where to, e.g. `http://127.0.0.1:8787/webhooks/stripe`. */
  readonly to: string;
  /** Secret that the receiver checks the signature with. */
  readonly secret: string;
  /** Types of events. @default all */
  readonly types?: readonly string[];
  /** Longest wait for an answer. @default 10_000 */
  readonly timeoutMs?: number;
  /** Deliveries of an event that is not answered with success. @default 3 */
  readonly tries?: number;
}

/** What became of an event. */
export interface Forwarded {
  readonly id: string;
  readonly type: string;
  readonly deliveries: number;
  /** The last answer's status; 0 without an answer. */
  readonly status: number;
}

/**
 * Sends an account's events to an address, signed, and again where they are refused.
 *
 * @returns a function that forwards what came since it was called last, oldest first; at its first call what
 *   came since this one
 * @example
 * const forward = await webhookForwarder(stripe, { to: `${server.url}/webhooks/stripe`, secret });
 * await forward();
 */
export async function webhookForwarder(
  client: StripeClient,
  options: ForwardOptions,
): Promise<() => Promise<Forwarded[]>> {
  const { events } = sdkOf(client);
  const filter = options.types && { types: [...options.types] };
  const [newest] = (await events.list({ limit: 1 })).data;
  // Not by a cursor: Stripe forgets an event after thirty days, and a cursor on it fails.
  let since = newest?.created ?? 0;
  const seen = new Set((await listed()).map(({ id }) => id));

  async function listed(): Promise<Stripe.Event[]> {
    const created = { gte: since };
    const list = events.list({ limit: 100, created, ...filter });
    return (await list.autoPagingToArray({ limit: 10_000 })).reverse();
  }

  return async () => {
    const fresh = (await listed()).filter(({ id }) => !seen.has(id));
    const forwarded: Forwarded[] = [];
    for (const event of fresh) {
      forwarded.push(await deliver(event, options));
      seen.add(event.id);
      since = Math.max(since, event.created);
    }
    return forwarded;
  };
}

async function deliver(
  event: Stripe.Event,
  { to, secret, timeoutMs = 10_000, tries = 3 }: ForwardOptions,
): Promise<Forwarded> {
  const body = JSON.stringify(event);
  let status = 0;
  let deliveries = 0;
  while (deliveries < tries && (status < 200 || status > 299)) {
    deliveries += 1;
    const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret });
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature };
    const signal = AbortSignal.timeout(timeoutMs);
    status = await fetch(to, { method: 'POST', body, headers, signal }).then(
      (response) => response.status,
      () => 0,
    );
  }
  return { id: event.id, type: event.type, deliveries, status };
}
