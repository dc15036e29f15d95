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
 * rollup: what a caller sent twice is billed once. Of a day on which a tenant left and came back, what was
 * used since its return: the rest is on the last invoice of the subscription that ended.
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
      WITH (${RETURNS}) AS returns
      SELECT
        tenant_id,
        toString(toDate(timestamp, 'UTC')) AS date,
        -- Few, as a rule none: a join would take half as long again. Of a day without a query since the return
        -- a row of 0 takes the place of what was reported at the end.
        sumIf(queries, NOT arrayExists(
          (tenant, back) -> tenant = tenant_id AND timestamp >= toStartOfDay(back) AND timestamp < back,
          returns.1,
          returns.2)) AS query_count
      FROM ${from}
      WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
      GROUP BY tenant_id, date
      ORDER BY date, tenant_id`,
    query_params: params,
    format: 'JSONEachRow',
  });
  return result.json();
}

/** Tenants that came back on the day on which they left, and when: a pair of arrays. */
const RETURNS = `
        SELECT (groupArray(tenant_id), groupArray(effective_from))
        FROM
        (
          SELECT
            tenant_id,
            effective_from,
            state,
            lagInFrame(effective_from) OVER history AS left_at,
            lagInFrame(state) OVER history AS last_state
          FROM tenant_quotas FINAL
          WINDOW history AS (PARTITION BY tenant_id ORDER BY effective_from)
        )
        WHERE state = 'active'
          AND last_state = 'deleted'
          AND toDate(left_at, 'UTC') = toDate(effective_from, 'UTC')
          AND effective_from >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
          AND effective_from < fromUnixTimestamp64Milli({end:Int64}, 'UTC')`;
