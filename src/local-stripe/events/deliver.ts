/** Hands webhooks over, signed, and tries again when they are refused. */
import { createHmac } from 'node:crypto';
import type Stripe from 'stripe';
import type { Account } from '../state/account.js';
import type { DeliveryRow, StoredEvent } from '../state/rows.js';

/** Stripe says "quickly" and no number. */
const TIMEOUT_MS = 10_000;
/** Stripe tries for three days, more and more rarely; the spans between are not published. */
const FIRST_RETRY_SECONDS = 300;
const LONGEST_WAIT_SECONDS = 12 * 3_600;
const TRIED_FOR_SECONDS = 3 * 86_400;

/** Hands over all that is due first on a clock, one after the other. */
export async function deliverNext(account: Account, clock: string, until: number): Promise<void> {
  const { deliveries, events } = account.tables;
  const first = deliveries.next(clock, until);
  if (!first) return;
  for (const delivery of inOrder(account, deliveries.dueBy(clock, first.at))) {
    if (deliveries.get(delivery.id) !== delivery) continue;
    const { event } = events.one(delivery.event);
    const taken = await handOver(account, delivery.endpoint, event);
    account.work(null, () => (taken ? settle(account, delivery) : postpone(account, delivery)));
  }
}

function inOrder(account: Account, due: readonly DeliveryRow[]): readonly DeliveryRow[] {
  const { order } = account.deliveryPlan;
  if (!order) return due;
  const events = due.map(({ event }) => account.tables.events.one(event).event as unknown as Stripe.Event);
  const places = order(events).map((event) => events.indexOf(event));
  return places.map((place) => due[place]).filter((delivery) => delivery !== undefined);
}

/** The signature header over a body, e.g. `t=1764547200,v1=5257a8…` */
export function sign(body: string, secret: string, at: number): string {
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}

/** Whether the event was taken: a 2xx from an address, no error from a function. */
async function handOver(account: Account, endpoint: string, event: StoredEvent): Promise<boolean> {
  const body = JSON.stringify(event, null, 2);
  // Receivers compare the signature's time with their own clock, so it is the real one.
  const at = Math.floor(Date.now() / 1_000);
  const local = account.functions.get(endpoint);
  const remote = account.tables.webhookEndpoints.get(endpoint);
  try {
    if (local) {
      await local.handler(body, sign(body, local.secret, at));
      return true;
    }
    // An endpoint that is gone has nothing to wait for.
    if (!remote) return true;
    const response = await fetch(remote.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'stripe-signature': sign(body, remote.secret, at),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function settle(account: Account, { id, event }: DeliveryRow): void {
  const { deliveries, events } = account.tables;
  deliveries.delete(id);
  const row = events.one(event);
  const pending = Math.max(0, row.event.pending_webhooks - 1);
  events.put({ ...row, event: { ...row.event, pending_webhooks: pending } });
}

function postpone(account: Account, delivery: DeliveryRow): void {
  const { deliveries } = account.tables;
  const wait = Math.min(FIRST_RETRY_SECONDS * 2 ** delivery.attempts, LONGEST_WAIT_SECONDS);
  const last = delivery.firstAt + TRIED_FOR_SECONDS;
  if (delivery.at >= last) deliveries.delete(delivery.id);
  else
    deliveries.put({ ...delivery, at: Math.min(delivery.at + wait, last), attempts: delivery.attempts + 1 });
}
