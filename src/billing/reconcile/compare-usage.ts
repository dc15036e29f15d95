/** Queries of each day here ↔ at Stripe's meter, as far as they can still be mended there. */
import { dayOf, type Month, parseDay } from '../../period.js';
import type { DailyUsage } from '../daily-usage.js';
import { readMeter } from '../read-meter.js';
import { LATEST_MS } from '../report-usage.js';
import type { Books } from './books.js';
import type { UsageDifference } from './difference.js';
import type { InvoicedLine } from './invoiced-line.js';
import type { Repair } from './repair.js';
import { customerOf, type StripeTenant } from './stripe-tenant.js';

/** What was used here by day, and what stands at Stripe. */
interface TenantMonth {
  readonly tenantId: string;
  readonly days: readonly DailyUsage[];
  readonly theirs: StripeTenant | undefined;
  readonly month: Month;
}

/** One tenant's days; those that a final invoice bills are compared with its lines. */
export async function compareUsage(
  books: Books,
  { tenantId, days, theirs, month }: TenantMonth,
): Promise<UsageDifference[]> {
  const customer = theirs && customerOf(theirs);
  const today = parseDay(dayOf(books.now)).start;
  const period = { start: month.start, end: new Date(Math.min(Number(today), Number(month.end))) };
  const isOver = customer && period.end > period.start;
  const here = new Map(days.map(({ date, query_count }) => [date, query_count]));
  const there = isOver ? await readMeter(books, { customer, period }) : new Map<string, number>();
  const isOpen = (day: string) =>
    parseDay(day).end <= books.now && !theirs?.lines.some((line) => bills(line, day));
  const repairOf = (day: string, queries: number): Repair => {
    if (!customer) return { does: 'nothing', why: 'it has no customer at Stripe' };
    if (parseDay(day).end.getTime() <= books.now.getTime() - LATEST_MS)
      return { does: 'nothing', why: 'Stripe takes usage of the last 35 days, and nothing bills this day' };
    return { does: 'report usage', tenantId, subscriptionId: theirs.subscriptions[0]?.id, day, queries };
  };
  return [...new Set([...here.keys(), ...there.keys()])]
    .sort()
    .filter(isOpen)
    .flatMap((day) => {
      const [expected, found] = [here.get(day) ?? 0, there.get(day) ?? 0];
      if (expected === found) return [];
      const facts = { tenantId, month: month.name, day, expected, found, repair: repairOf(day, expected) };
      return [{ subject: 'usage', class: classOf(expected, found), ...facts }];
    });
}

/** Whether a final invoice has the usage of a day. A day is reported at its last second. */
function bills({ kind, status, period }: InvoicedLine, day: string): boolean {
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
