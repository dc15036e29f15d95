/** Billing meters: which events count, and how they are added up. */
import type Stripe from 'stripe';
import { z } from 'zod';
import { usageOf, windowOf } from '../billing/usage.js';
import { invalid } from '../http/api-error.js';
import { choice, id, text, timestamp } from '../http/parameters.js';
import { pageRoute, type Route, readRoutes, route } from '../http/route.js';
import { formatDecimal } from '../money/decimal.js';
import type { Account } from '../state/account.js';
import type { Stored } from '../state/stored.js';
import type { Meter } from '../state/tables.js';

const summaryShape = {
  customer: id,
  start_time: timestamp,
  end_time: timestamp,
  value_grouping_window: choice('day', 'hour').optional(),
};
const filters = { status: choice('active', 'inactive').optional() };

export const meterRoutes: Route[] = [
  route(
    'POST /v1/billing/meters',
    'billing.meters.create',
    {
      display_name: text(250),
      event_name: text(100),
      default_aggregation: z.strictObject({ formula: choice('sum', 'count', 'last') }),
      event_time_window: choice('day', 'hour').optional(),
    },
    (account, params) => {
      const { meters } = account.tables;
      // An event counts for one meter.
      if (meters.by('event', params.event_name).length > 0) {
        throw invalid(`A meter with the event name ${params.event_name} already exists.`, 'event_name');
      }
      const now = account.now();
      const meter: Meter = {
        id: account.newId('mtr'),
        object: 'billing.meter',
        created: now,
        customer_mapping: { event_payload_key: 'stripe_customer_id', type: 'by_id' },
        default_aggregation: params.default_aggregation,
        display_name: params.display_name,
        event_name: params.event_name,
        event_time_window: params.event_time_window ?? null,
        livemode: false,
        status: 'active',
        status_transitions: { deactivated_at: null },
        updated: now,
        value_settings: { event_payload_key: 'value' },
      };
      account.emit('billing.meter.created', meters.put(meter));
      return meter;
    },
  ),
  ...readRoutes('/v1/billing/meters', 'billing.meters', filters, ({ meters }) => meters),
  pageRoute(
    '/v1/billing/meters/:id/event_summaries',
    'billing.meters.listEventSummaries',
    summaryShape,
    summaries,
  ),
];

const MINUTE = 60;

function summaries(
  { tables }: Account,
  params: z.output<z.ZodObject<typeof summaryShape>>,
  id: string,
): Stored<Stripe.Billing.MeterEventSummary>[] {
  const { customer, start_time: start, end_time: end, value_grouping_window: grouping } = params;
  const meter = tables.meters.one(id);
  tables.customers.one(customer, 'customer');
  const step = grouping ? windowOf(grouping) : MINUTE;
  for (const [param, time] of Object.entries({ start_time: start, end_time: end })) {
    if (time % step !== 0)
      throw invalid(`${param} must be aligned with ${grouping ?? 'minute'} boundaries.`, param);
  }
  if (end <= start) throw invalid('end_time must be after start_time.', 'end_time');
  const events = tables.meterEvents.by('series', `${id}/${customer}`);
  const width = grouping ? step : end - start;
  const rows: Stored<Stripe.Billing.MeterEventSummary>[] = [];
  for (let from = start; from < end; from += width) {
    const to = from + width;
    if (grouping && !events.some(({ timestamp: at }) => from <= at && at < to)) continue;
    rows.push({
      id: `mtrusg_${id.slice(4)}_${customer.slice(4)}_${from}_${to}`,
      object: 'billing.meter_event_summary',
      // The API's own type is a number; what is billed is added up exactly.
      aggregated_value: Number(formatDecimal(usageOf(meter, events, { from, to }))),
      end_time: to,
      livemode: false,
      meter: id,
      start_time: from,
    });
  }
  return rows;
}
