/** What is reported to Stripe: each tenant's queries of each UTC day, every event once. */
import type { ClickHouseClient } from '@clickhouse/client';
import { invoicedEvents } from '../invoices/invoiced-events.js';
import { parseMonth } from '../period.js';

/** A tenant's day, as a row. */
export interface DailyUsage {
  readonly tenant_id: string;
  /** e.g. `2025-11-30` */
  readonly date: string;
  readonly query_count: number;
}

/**
 * A month's days, by day and tenant. Read from the events as the invoice reads them, never from a
 * rollup: what a caller sent twice is billed once.
 *
 * @throws RangeError for a wrong month.
 * @example await readDailyUsage(clickhouse, { month: '2025-11' })
 */
export async function readDailyUsage(
  clickhouse: ClickHouseClient,
  { month: name, tenantIds = [] }: { month: string; tenantIds?: readonly string[] },
): Promise<DailyUsage[]> {
  const month = parseMonth(name);
  const { from, params } = await invoicedEvents(clickhouse, { tenantIds, month });
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, toString(toDate(timestamp, 'UTC')) AS date, sum(queries) AS query_count
      FROM ${from}
      WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
      GROUP BY tenant_id, date
      ORDER BY date, tenant_id`,
    query_params: params,
    format: 'JSONEachRow',
  });
  return result.json();
}
