/** What Stripe's meter has of a customer, day by day. */
import { dayOf, type Period } from '../period.js';
import { fromSeconds, toSeconds } from './context.js';
import type { Books } from './reconcile/books.js';
import { sdkOf } from './sdk.js';

/** @example (await readMeter(books, { customer: 'cus_1', period })).get('2025-11-30') // 1200 */
export async function readMeter(
  { stripe, catalogue }: Pick<Books, 'stripe' | 'catalogue'>,
  { customer, period: { start, end } }: { customer: string; period: Period },
): Promise<Map<string, number>> {
  const wanted = { customer, start_time: toSeconds(start), end_time: toSeconds(end), limit: 100 };
  const summaries = sdkOf(stripe).billing.meters.listEventSummaries(catalogue.meterId, {
    ...wanted,
    value_grouping_window: 'day',
  });
  const days = new Map<string, number>();
  for await (const { start_time: day, aggregated_value: queries } of summaries)
    days.set(dayOf(fromSeconds(day)), queries);
  return days;
}
