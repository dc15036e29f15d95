/** Meter events, in v1 and in v2, and their cancellation. */
import type Stripe from 'stripe';
import { z } from 'zod';
import { countUsage } from '../billing/usage-limit.js';
import { ApiError, invalid } from '../http/api-error.js';
import { choice, text, timestamp } from '../http/parameters.js';
import { type Route, route } from '../http/route.js';
import type { Account } from '../state/account.js';
import type { Stored } from '../state/stored.js';

const DAY = 86_400;
const MOST_DAYS_BACK = 35;
const MOST_SECONDS_AHEAD = 300;
const LONGEST_IDENTIFIER = 100;

const event = {
  event_name: text(100),
  payload: z.record(z.string().min(1).max(100), z.string().min(1).max(100)),
  identifier: text(LONGEST_IDENTIFIER).optional(),
};
const cancelParams = {
  event_name: text(100),
  type: choice('cancel'),
  cancel: z.strictObject({ identifier: text(LONGEST_IDENTIFIER) }),
};

export const meterEventRoutes: Route[] = [
  route(
    'POST /v1/billing/meter_events',
    'billing.meterEvents.create',
    { ...event, timestamp: timestamp.optional() },
    (account, params): Stored<Stripe.Billing.MeterEvent> => ({
      object: 'billing.meter_event',
      ...takeIn(account, params, params.timestamp),
    }),
  ),
  route(
    'POST /v1/billing/meter_event_adjustments',
    'billing.meterEventAdjustments.create',
    cancelParams,
    cancel,
  ),
  route(
    'POST /v2/billing/meter_events',
    'v2.billing.meterEvents.create',
    { ...event, timestamp: z.iso.datetime().optional() },
    (account, params) => {
      const at =
        params.timestamp === undefined ? undefined : Math.floor(Date.parse(params.timestamp) / 1_000);
      const { created, timestamp: counted, ...taken } = takeIn(account, params, at);
      const times = { created: isoOf(created), timestamp: params.timestamp ?? isoOf(counted) };
      return { object: 'v2.billing.meter_event', ...taken, ...times };
    },
  ),
];

/**
 * Stripe takes an event in and tells later, by a thin event, that its meter, customer or value makes
 * no sense. Here it is refused at once, under the same code: a slip must not pass unseen.
 *
 * @returns what v1 answers
 */
function takeIn(account: Account, params: z.output<z.ZodObject<typeof event>>, given: number | undefined) {
  const { tables } = account;
  const { event_name, payload } = params;
  const [meter] = tables.meters.by('event', event_name);
  if (!meter)
    throw invalid(`No active meter found for event name '${event_name}'.`, 'event_name', 'no_meter');
  const customerKey = meter.customer_mapping.event_payload_key;
  const customerId = payload[customerKey];
  if (customerId === undefined) throw refused('meter_event_no_customer_defined', customerKey);
  const customer = tables.customers.get(customerId);
  if (!customer) throw refused('meter_event_customer_not_found', customerKey);
  const valueKey = meter.value_settings.event_payload_key;
  const value = payload[valueKey] ?? (meter.default_aggregation.formula === 'count' ? '1' : undefined);
  if (value === undefined) throw refused('meter_event_value_not_found', valueKey);
  if (!/^-?\d{1,15}(\.\d{1,12})?$/.test(value)) throw refused('meter_event_invalid_value', valueKey);

  const received = account.timeOf(account.clockOf(customer));
  const at = given ?? received;
  if (at < received - MOST_DAYS_BACK * DAY) {
    throw invalid(
      `The timestamp is more than ${MOST_DAYS_BACK} days in the past.`,
      'timestamp',
      'timestamp_too_far_in_past',
    );
  }
  if (at > received + MOST_SECONDS_AHEAD) {
    throw invalid('The timestamp is more than 5 minutes in the future.', 'timestamp', 'timestamp_in_future');
  }
  const identifier = params.identifier ?? account.newId('meterevent');
  const earlier = tables.meterEvents.by('identifier', identifier).at(-1);
  if (earlier && received - earlier.received < DAY) {
    throw new ApiError(400, `An event already exists with identifier ${identifier}.`, { shouldRetry: false });
  }
  const row = tables.meterEvents.put({
    id: account.newId('mevt'),
    identifier,
    meter: meter.id,
    customer: customer.id,
    value,
    timestamp: at,
    received,
    cancelled: false,
  });
  countUsage(account, row);
  return { created: received, event_name, identifier, livemode: false, payload, timestamp: at };
}

function refused(code: string, key: string): ApiError {
  return invalid(`The meter event is refused: ${code}.`, `payload[${key}]`, code);
}

/** Takes an event back within a day of its coming; invoices that are final stay as they are. */
function cancel(
  account: Account,
  params: z.output<z.ZodObject<typeof cancelParams>>,
): Stored<Stripe.Billing.MeterEventAdjustment> {
  const { tables } = account;
  const { identifier } = params.cancel;
  const row = tables.meterEvents.by('identifier', identifier).at(-1);
  if (!row || row.cancelled || tables.meters.one(row.meter).event_name !== params.event_name) {
    throw invalid(`No event exists with identifier ${identifier}.`, 'cancel[identifier]');
  }
  const customer = tables.customers.get(row.customer);
  if (customer && account.timeOf(account.clockOf(customer)) - row.received > DAY) {
    throw invalid('An event can be cancelled within 24 hours of its coming.', 'cancel[identifier]');
  }
  tables.meterEvents.change(row.id, { cancelled: true });
  return {
    object: 'billing.meter_event_adjustment',
    cancel: { identifier },
    event_name: params.event_name,
    livemode: false,
    status: 'complete',
    type: 'cancel',
  };
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
