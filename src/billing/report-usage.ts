/** One report of usage: a meter event that carries a tenant's total of one UTC day. */
import Stripe from 'stripe';
import { z } from 'zod';
import { parseInput, wholeNumber } from '../input.js';
import { DAY_MS, parseDay } from '../period.js';
import { METER_EVENT_NAME } from './catalogue.js';
import { type BillingContext, toSeconds } from './context.js';
import type { DayReport } from './shapes.js';

/** Stripe takes usage of the last 35 days. */
export const LATEST_MS = 35 * DAY_MS;

const counts = z.object({ query_count: wholeNumber, revision: wholeNumber });

/** The work of {@link StripeBillingManager.reportUsage}. */
export async function reportUsage({ stripe, now }: BillingContext, report: DayReport): Promise<void> {
  const { customerId, date } = report;
  const { query_count, revision } = parseInput(counts, 'usage report', report);
  const identifier = `${customerId}:${date}:${revision}`;
  // The last second of the day, so that it lies after a subscription's or a plan's beginning on that
  // day; a day that is not over has no later moment than now.
  const day = parseDay(date);
  const instant = now();
  if (day.start > instant) throw new RangeError(`Cannot report ${date}: it is ${instant.toISOString()}`);
  const timestamp = toSeconds(new Date(Math.min(day.end.getTime() - 1, instant.getTime())));
  try {
    await stripe.billing.meterEvents.create(
      {
        event_name: METER_EVENT_NAME,
        payload: { stripe_customer_id: customerId, value: String(query_count) },
        identifier,
        timestamp,
      },
      // Of a day that is not over a later try has another timestamp; the identifier is what counts it once.
      { idempotencyKey: `usage:${identifier}:${timestamp}` },
    );
  } catch (error) {
    // An earlier call arrived, and its answer was lost: Stripe tells of it by its words alone.
    const isRefused = error instanceof Stripe.errors.StripeInvalidRequestError;
    if (!isRefused || !/already exists with identifier/.test(error.message)) throw error;
  }
}
