/** Turns what a call or a step has noted into events, and puts them on their way. */
import type Stripe from 'stripe';
import { shown } from '../http/expand.js';
import type { Account } from '../state/account.js';
import type { PendingEvent, StoredEvent } from '../state/rows.js';
import { API_VERSION } from './api-version.js';

/** Events can be read for this long after their making, on the clock of their object. */
export const EVENTS_KEPT_SECONDS = 30 * 86_400;

const MOST_COPIES = 1_000;
/** A hundred years. */
const LONGEST_DELAY = 3_155_760_000;

export function keepEvents(account: Account): void {
  for (const pending of account.outbox.splice(0)) {
    const targets = targetsOf(account, pending.type);
    const event = eventOf(account.newId('evt'), pending, targets.length);
    account.tables.events.put({ id: event.id, clock: pending.clock, event });
    for (const endpoint of targets) planDeliveries(account, event, pending, endpoint);
  }
}

function eventOf(
  id: string,
  { type, at, object, previous, request }: PendingEvent,
  targets: number,
): StoredEvent {
  return {
    id,
    object: 'event',
    api_version: API_VERSION,
    created: at,
    data: { object: shown(object), ...(previous && { previous_attributes: previous }) },
    livemode: false,
    pending_webhooks: targets,
    request,
    type,
  };
}

/** Ids of the endpoints and functions that want an event. */
function targetsOf({ tables, functions }: Account, type: string): string[] {
  const wants = (events: readonly string[]) => events.includes('*') || events.includes(type);
  return [
    ...tables.webhookEndpoints
      .all()
      .filter((endpoint) => endpoint.status === 'enabled' && wants(endpoint.enabled_events))
      .map((endpoint) => endpoint.id),
    ...[...functions].filter(([, { events }]) => wants(events)).map(([id]) => id),
  ];
}

function planDeliveries(
  account: Account,
  row: StoredEvent,
  { clock, at }: PendingEvent,
  endpoint: string,
): void {
  const { copies, delaySeconds } = account.deliveryPlan;
  const event = row as unknown as Stripe.Event;
  const count = planned('copies', copies?.(event) ?? 1, MOST_COPIES);
  for (let copy = 0; copy < count; copy += 1) {
    const due = at + planned('delaySeconds', delaySeconds?.(event, copy) ?? 0, LONGEST_DELAY);
    const id = `${row.id}/${endpoint}/${copy}`;
    account.tables.deliveries.put({
      id,
      clock,
      at: due,
      rank: 0,
      event: row.id,
      about: `${row.type}/${(row.data.object as { id?: string }).id}`,
      endpoint,
      attempts: 0,
      firstAt: due,
    });
  }
}

/** What a plan answers, if it can be planned: a time that is none would never come. */
function planned(name: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(
    `Cannot follow the delivery plan: ${name} must be a whole number, 0 to ${most}, current value is ${value}`,
  );
}
