/** Queries of each day here ↔ at Stripe's meter, as far as they can still be mended there. */
import { DAY_MS, dayOf, type Month, parseDay } from '../../period.js';
import type { DailyUsage } from '../daily-usage.js';
import { LATEST_MS } from '../report-usage.js';
import { sdkOf } from '../sdk.js';
import type { Books } from './books.js';
import type { UsageDifference } from './difference.js';
import type { InvoicedLine } from './invoiced-line.js';
import type { Repair } from './repair.js';
import { customerOf, type StripeTenant } from './stripe-tenant.js';

/** One tenant's days; those that a final invoice bills are compared with its lines. */
export async function compareUsage(
  books: Books,
  {
    tenantId,
    days,
    theirs,
    month,
  }: {
    tenantId: string;
    /** What was used here, by day. */
    days: readonly DailyUsage[];
    theirs: StripeTenant | undefined;
    month: Month;
  },
): Promise<UsageDifference[]> {
  const here = new Map(days.map(({ date, query_count }) => [date, query_count]));
  const there = theirs ? await readMeter(books, theirs, month) : new Map<string, number>();
  return [...new Set([...here.keys(), ...there.keys()])]
    .sort()
    .filter((day) => parseDay(day).end <= books.now && !theirs?.lines.some((line) => bills(line, day)))
    .flatMap((day) => {
      const [expected, found] = [here.get(day) ?? 0, there.get(day) ?? 0];
      if (expected === found) return [];
      const repair = repairOf(books, { tenantId, theirs, day, queries: expected });
      return [
        {
          subject: 'usage',
          class: classOf(expected, found),
          tenantId,
          month: month.name,
          day,
          expected,
          found,
          repair,
        },
      ];
    });
}

/** Whether a final invoice has the usage of a day. A day is reported at its last second. */
export function bills({ kind, status, period }: InvoicedLine, day: string): boolean {
  const isFinal = status === 'open' || status === 'paid' || status === 'uncollectible';
  const at = new Date(parseDay(day).end.getTime() - 1_000);
  return kind === 'usage' && isFinal && period.start <= at && at < period.end;
}

/** Of a day's events the meter takes the newest, so a day twice over was added up before it was sent. */
function classOf(expected: number, found: number): UsageDifference['class'] {
  if (found === 0) return 'missing';
  if (expected === 0) return 'extra';
  return found > expected && found % expected === 0 ? 'duplicate' : 'amount';
}

function repairOf(
  books: Books,
  {
    tenantId,
    theirs,
    day,
    queries,
  }: { tenantId: string; theirs: StripeTenant | undefined; day: string; queries: number },
): Repair {
  if (!theirs || !customerOf(theirs)) return { does: 'nothing', why: 'it has no customer at Stripe' };
  if (parseDay(day).end.getTime() <= books.now.getTime() - LATEST_MS)
    return { does: 'nothing', why: 'Stripe takes usage of the last 35 days, and nothing bills this day' };
  return { does: 'report usage', tenantId, subscriptionId: theirs.subscriptions[0]?.id, day, queries };
}

async function readMeter(books: Books, theirs: StripeTenant, month: Month): Promise<Map<string, number>> {
  const customer = customerOf(theirs);
  const today = Math.floor(books.now.getTime() / DAY_MS) * DAY_MS;
  const end = Math.min(today, month.end.getTime());
  if (!customer || end <= month.start.getTime()) return new Map();
  const summaries = await sdkOf(books.stripe)
    .billing.meters.listEventSummaries(books.catalogue.meterId, {
      customer,
      start_time: month.start.getTime() / 1_000,
      end_time: end / 1_000,
      value_grouping_window: 'day',
      limit: 100,
    })
    .autoPagingToArray({ limit: 100 });
  return new Map(summaries.map((row) => [dayOf(new Date(row.start_time * 1_000)), row.aggregated_value]));
}
