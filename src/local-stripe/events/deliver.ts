/** Hands webhooks over: each endpoint takes its events one after the other, endpoints go side by side. */
import { setTimeout as after } from 'node:timers/promises';
import type Stripe from 'stripe';
import { type Account, LIVE_CLOCK } from '../state/account.js';
import type { DeliveryRow } from '../state/rows.js';
import { handOver } from './hand-over.js';
import { placesInOrder } from './places-in-order.js';

/** Stripe tries for three days, more and more rarely; the spans between are not published. */
const FIRST_RETRY_SECONDS = 300;
const LONGEST_WAIT_SECONDS = 12 * 3_600;
const TRIED_FOR_SECONDS = 3 * 86_400;
/** While an endpoint lets wait, it is looked this often whether there is something new for the others. */
const LOOK_MS = 50;

/** Hands over all that is due first on a clock, and what joins it until every endpoint is done. */
export async function deliverNext(account: Account, clock: string, until: number): Promise<void> {
  const first = account.tables.deliveries.next(clock, until);
  if (!first) return;
  const busy = new Map<string, Promise<void>>();
  for (;;) {
    for (const [endpoint, due] of dueByEndpoint(account, clock, horizonOf(account, clock, first.at))) {
      if (busy.has(endpoint)) continue;
      busy.set(
        endpoint,
        deliverAll(account, inOrder(account, due)).finally(() => busy.delete(endpoint)),
      );
    }
    if (busy.size === 0) return;
    await Promise.race([...busy.values(), after(LOOK_MS, undefined, { ref: false })]);
  }
}

/** A test clock stands still meanwhile; the live one goes on, as far as there is no step to be done first. */
function horizonOf(account: Account, clock: string, at: number): number {
  if (clock !== LIVE_CLOCK) return at;
  const now = account.now();
  const step = account.tables.due.next(clock, now);
  return Math.max(at, step ? step.at - 1 : now);
}

/** For each endpoint what it gets first: all of one second. */
function dueByEndpoint(account: Account, clock: string, until: number): Map<string, DeliveryRow[]> {
  const found = new Map<string, DeliveryRow[]>();
  for (const delivery of account.tables.deliveries.dueBy(clock, until)) {
    const due = found.get(delivery.endpoint) ?? [];
    if (due.length === 0) found.set(delivery.endpoint, due);
    if ((due[0] ?? delivery).at === delivery.at) due.push(delivery);
  }
  return found;
}

function inOrder(account: Account, due: readonly DeliveryRow[]): DeliveryRow[] {
  const { order } = account.deliveryPlan;
  if (!order) return [...due];
  const ids = due.map(({ event }) => event);
  try {
    const events = ids.map((id) => account.tables.events.one(id).event as unknown as Stripe.Event);
    const wanted = order(events).map(({ id }) => id);
    return placesInOrder(ids, wanted).map((place) => due[place] as DeliveryRow);
  } catch (error) {
    console.error('Cannot use the order of the delivery plan, events keep their own:', error);
    return [...due];
  }
}

async function deliverAll(account: Account, due: readonly DeliveryRow[]): Promise<void> {
  for (const delivery of due) {
    if (account.tables.deliveries.get(delivery.id) !== delivery) continue;
    const { event } = account.tables.events.one(delivery.event);
    const taken = await handOver(account, delivery.endpoint, event);
    // In the meantime it may have gone with its clock.
    if (account.tables.deliveries.get(delivery.id) === delivery) note(account, delivery, taken);
  }
}

/**
 * Notes how it went. Should that fail, since the file takes no more, the delivery is over in memory
 * alone: it must not be tried without end, and comes again when the file is opened again.
 */
function note(account: Account, delivery: DeliveryRow, taken: boolean): void {
  try {
    account.work(null, () => (taken ? settle(account, delivery) : postpone(account, delivery)));
  } catch (error) {
    console.error(error);
    account.tables.deliveries.load(delivery.id, null);
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
