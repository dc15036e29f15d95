/** Reports the usage of this month and the one before: every hour, and before a plan is changed or ends. */
import { DAY_MS, dayOf, monthOf, parseDay, previousMonth } from '../period.js';
import { UnreportedUsageError } from './billing-errors.js';
import { readDailyUsage } from './daily-usage.js';
import type { Books } from './reconcile/books.js';
import { LATEST_MS } from './report-usage.js';
import { type SyncResult, UsageSyncService } from './usage-sync.js';

export type ReportingDays = Pick<Books, 'clickhouse' | 'billing' | 'ledger' | 'now'>;

/**
 * Reports the days that are over; what is there already is not sent. Days that Stripe no longer takes are left
 * to the reconciliation, which lists them.
 *
 * @param options tenants, all by default, and whether today counts as well
 * @returns what failed, to be tried again
 * @example const failed = await reportDays(books);
 */
export async function reportDays(
  { clickhouse, billing, ledger, now }: ReportingDays,
  { tenantIds, withToday = false }: { tenantIds?: readonly string[]; withToday?: boolean } = {},
): Promise<SyncResult[]> {
  const sync = new UsageSyncService(billing, { ledger });
  const end = parseDay(dayOf(now)).start.getTime() + (withToday ? DAY_MS : 0);
  const isDue = (date: string) => {
    const { start: day, end: over } = parseDay(date);
    return day.getTime() < end && over.getTime() > now.getTime() - LATEST_MS;
  };
  const failed: SyncResult[] = [];
  for (const { name: month } of [previousMonth(now), monthOf(now)]) {
    const usage = await readDailyUsage(clickhouse, { month, ...(tenantIds && { tenantIds }) });
    const results = await sync.syncDailyUsage(usage.filter(({ date }) => isDue(date)));
    failed.push(...results.filter(({ success }) => !success));
  }
  return failed;
}

/**
 * Has a tenant's usage at Stripe before its plan is changed or ends: what was used under the old plan is billed
 * by it, and what Stripe hears of later by the new one, or not at all.
 *
 * @throws UnreportedUsageError when some of it is not there, so that nothing is changed.
 * @example
 * const billing = new StripeBillingManager(stripe, {
 *   catalogue,
 *   beforeChange: (tenantId, kind) => reportBeforeChange(books, { tenantId, kind }),
 * });
 */
export async function reportBeforeChange(
  books: ReportingDays,
  { tenantId, kind }: { tenantId: string; kind: 'change' | 'end' },
): Promise<void> {
  const failed = await reportDays(books, { tenantIds: [tenantId], withToday: kind === 'end' });
  const days = failed.map(({ date }) => date);
  if (failed[0]) throw new UnreportedUsageError(tenantId, days, failed[0].error ?? '');
}
