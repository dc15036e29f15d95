/**
 * Reconciliation: usage here ↔ Stripe's meter, tenants ↔ subscriptions, our plan invoices ↔ Stripe's.
 * It reads and changes nothing; run it every night, and look at the list before any repair.
 */
import { tenantsAt } from '../../metering/tenants.js';
import { dayOf, monthOf, parseMonth, previousMonth } from '../../period.js';
import { readDailyUsage } from '../daily-usage.js';
import { grouped } from '../grouped.js';
import type { Books } from './books.js';
import { compareInvoices } from './compare-invoices.js';
import { compareSubscriptions } from './compare-subscriptions.js';
import { compareUsage } from './compare-usage.js';
import type { Difference } from './difference.js';
import { expectedLines } from './expected-lines.js';
import { readStripeSide } from './read-stripe-side.js';
import type { StripeTenant } from './stripe-tenant.js';

export interface ReconcileOptions {
  /** @default that of `now` and the one before: what is found late goes on their next invoice */
  readonly months?: readonly string[];
  /** @default all, on either side */
  readonly tenantIds?: readonly string[];
}

/**
 * Lists what the two sides tell differently. A tenant whose subscription is missing, or stands
 * otherwise here, is compared by its invoices when that is mended: till then they would differ by it.
 *
 * @throws RangeError for a wrong month or an invalid date, and what the clients throw.
 * @example differenceRows(await reconcile(books, { months: ['2025-11'] }))
 */
export async function reconcile(
  books: Books,
  { months = openMonths(books.now), tenantIds }: ReconcileOptions = {},
): Promise<Difference[]> {
  const { clickhouse, now } = books;
  const periods = months.map(parseMonth);
  const isWanted = (tenantId: string) => tenantIds?.includes(tenantId) ?? true;
  const side = new Map([...(await readStripeSide(books))].filter(([tenantId]) => isWanted(tenantId)));
  const tenants = (await tenantsAt(clickhouse, now)).filter(({ tenantId }) => isWanted(tenantId));
  const subscriptions = compareSubscriptions(tenants, side, now);
  const unsettled = new Set(
    subscriptions.filter((found) => found.class !== 'duplicate').map(({ tenantId }) => tenantId),
  );
  const differences: Difference[] = [...subscriptions];
  for (const month of periods) {
    const wanted = { month: month.name, ...(tenantIds && { tenantIds }) };
    const used = grouped(await readDailyUsage(clickhouse, wanted), ({ tenant_id }) => tenant_id);
    for (const tenantId of [...new Set([...used.keys(), ...side.keys()])].sort()) {
      const [days, theirs] = [used.get(tenantId) ?? [], side.get(tenantId)];
      differences.push(...(await compareUsage(books, { tenantId, days, theirs, month })));
    }
    for (const { tenantId } of tenants) {
      if (unsettled.has(tenantId)) continue;
      const expected = await expectedLines(clickhouse, { tenantId, month: month.name, now });
      differences.push(...compareInvoices(side.get(tenantId) ?? nobody(tenantId), expected, month));
    }
  }
  return differences;
}

function openMonths(now: Date): string[] {
  dayOf(now);
  return [previousMonth(now).name, monthOf(now).name];
}

/** A tenant that has nothing at Stripe, as one that was deleted before. */
const nobody = (tenantId: string): StripeTenant => ({
  tenantId,
  customers: [],
  subscriptions: [],
  lines: [],
});
