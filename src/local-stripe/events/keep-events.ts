/** Turns what a call or a step has noted into events, and puts them on their way. */
import Stripe from 'stripe';
import { shown } from '../http/expand.js';
import type { Account } from '../state/account.js';
import type { StoredEvent } from '../state/rows.js';

/** Events can be read for this long after their making, on the clock of their object. */
export const EVENTS_KEPT_SECONDS = 30 * 86_400;

const MOST_COPIES = 1_000;
/** A hundred years. */
const LONGEST_DELAY = 3_155_760_000;

export function keepEvents(account: Account): void {
  for (const { clock, type, at, object, previous, request } of account.outbox.splice(0)) {
    const targets = targetsOf(account, type);
    const event: StoredEvent = {
      id: account.newId('evt'),
      object: 'event',
      api_version: Stripe.API_VERSION,
      created: at,
      data: { object: shown(object), ...(previous && { previous_attributes: previous }) },
      livemode: false,
      pending_webhooks: targets.length,
      request,
      type,
    };
    account.tables.events.put({ id: event.id, clock, event });
    for (const endpoint of targets) planDeliveries(account, event, clock, endpoint);
  }
}

/** Ids of the endpoints and functions that want an event. */
function targetsOf({ tables, functions }: Account, type: string): string[] {
  const wants = (events: readonly string[]) => events.includes('*') || events.includes(type);
  return [
    ...tables.webhookEndpoints
      .all()
      .filter((endpoint) => wants(endpoint.enabled_events))
      .map((endpoint) => endpoint.id),
    ...[...functions].filter(([, { events }]) => wants(events)).map(([id]) => id),
  ];
}

function planDeliveries(account: Account, row: StoredEvent, clock: string, endpoint: string): void {
  const { copies, delaySeconds } = account.deliveryPlan;
  const event = row as unknown as Stripe.Event;
  const about = `${row.type}/${(row.data.object as { id?: string }).id}`;
  const count = planned('copies', copies?.(event) ?? 1, MOST_COPIES);
  for (let copy = 0; copy < count; copy += 1) {
    const at = row.created + planned('delaySeconds', delaySeconds?.(event, copy) ?? 0, LONGEST_DELAY);
    const id = `${row.id}/${endpoint}/${copy}`;
    const fresh = { rank: 0, attempts: 0, firstAt: at };
    account.tables.deliveries.put({ id, clock, at, event: row.id, about, endpoint, ...fresh });
  }
}

/** What a plan answers, if it can be planned: a time that is none would never come. */
function planned(name: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(
    `Cannot follow the delivery plan: ${name} must be a whole number, 0 to ${most}, current value is ${value}`,
  );
}
