/**
 * What tenants were issued, as far as a month's invoice depends on it: a stored snapshot is what a
 * month's invoice was, whatever has become visible since.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { type Month, previousMonth } from '../period.js';
import type { CostInvoice } from './cost-invoice.js';
import type { PlanInvoice } from './plan-invoice.js';
import type { Sealed } from './seal.js';
import { readSnapshots } from './snapshot.js';

export interface Issued<Invoice> {
  /** The month's own invoice, if it was issued. */
  readonly own: Sealed<Invoice> | undefined;
  /** Those of the months right before it, the newest first, up to one that was not issued. */
  readonly before: readonly Invoice[];
  /** The oldest of these months, or the month itself: the invoice makes good what they lack. */
  readonly since: Month;
}

/** Months that are looked back; what is stored more than a year too late is on no invoice. */
const MONTHS_BACK = 12;

/**
 * @throws Error when the bytes of a snapshot no longer have their hash.
 * @example (await readIssued(clickhouse, { tenantIds: ['acme-corp'], month, kind: 'cost' })).get('acme-corp')
 */
export async function readIssued<Kind extends 'cost' | 'plan'>(
  clickhouse: ClickHouseClient,
  { tenantIds, month, kind }: { tenantIds: readonly string[]; month: Month; kind: Kind },
): Promise<Map<string, Issued<Kind extends 'cost' ? CostInvoice : PlanInvoice>>> {
  type Invoice = Kind extends 'cost' ? CostInvoice : PlanInvoice;
  const months = [month];
  while (months.length <= MONTHS_BACK) months.push(previousMonth((months.at(-1) as Month).start));
  const names = months.map(({ name }) => name);
  const snapshots = new Map<string, Sealed<Invoice>>();
  const kept = await readSnapshots(clickhouse, { tenantIds, months: names, kind });
  for (const { tenant_id, month, json, sha256 } of kept)
    snapshots.set(`${tenant_id} ${month}`, { invoice: JSON.parse(json) as Invoice, json, sha256 });
  return new Map(
    tenantIds.map((tenantId) => {
      const [own, ...earlier] = names.map((name) => snapshots.get(`${tenantId} ${name}`));
      const end = earlier.indexOf(undefined);
      const before = earlier.slice(0, end === -1 ? earlier.length : end).flatMap((one) => one?.invoice ?? []);
      return [tenantId, { own, before, since: months[before.length] ?? month }];
    }),
  );
}
