/**
 * Which events a month's invoice is made of by the time of their acceptance: each once, and each on
 * one invoice alone, whenever the question is asked.
 *
 * - An event is on its own month's invoice if it was accepted within 72 hours of the month's end,
 *   else on the first invoice that was open when it came: never a silent change of an old one. (Of
 *   what was accepted in time and stored only after the invoice was issued, see `issued.ts`.)
 * - Of copies under one id with several times the earliest accepted counts, looked for from the
 *   month before on; for what came too late for its month, at any age. (Copies with the same time
 *   the table itself removes.)
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { EVENTS_TABLE } from '../metering/tables.js';
import { closingOf, type Month, previousMonth } from '../period.js';

/** Something to select from, and its parameters. */
export interface InvoicedEvents {
  /** A subquery in parentheses. */
  readonly from: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What an invoice needs of an event. */
const COLUMNS = `tenant_id, event_id, timestamp, event_type, model, price_version, queries, tokens_input,
        tokens_output, bytes, cost_usd, created_at`;

/** Beside them: when it happened, as `2025-11`. */
const USAGE_MONTH = "formatDateTime(timestamp, '%Y-%m', 'UTC')";

const at = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;
/** An event may be ahead of the clock that accepted it, by five minutes. */
const UP_TO = `timestamp < ${at('closes')} + INTERVAL 5 MINUTE`;
const MONTH = `timestamp >= ${at('start')} AND timestamp < ${at('end')}`;
const ON_TIME = `${MONTH} AND created_at < ${at('closes')}`;
const LATE = `timestamp < ${at('start')} AND created_at >= ${at('opens')} AND created_at < ${at('closes')}`;
const OWN_GRACE = "toDateTime64(addMonths(toStartOfMonth(timestamp), 1), 3, 'UTC') + INTERVAL 72 HOUR";
/** After the grace of their own month; the first condition on it only lets the index help. */
const AFTER_GRACE = `${MONTH}
            AND created_at >= ${at('grace')}
            AND created_at >= ${OWN_GRACE}
            AND created_at < ${at('closes')}`;
const MINE = '(empty({tenants:Array(String)}) OR tenant_id IN {tenants:Array(String)})';

/**
 * @param tenantIds whose events; all tenants' when left out
 * @param since for several invoices together: the first one's month; the month itself when left out
 * @param acceptedBefore as the month was known at this instant; its closing when left out
 * @example
 * const { from, params } = await invoicedEvents(clickhouse, { tenantIds: ['acme-corp'], month });
 * await clickhouse.query({ query: `SELECT sum(queries) FROM ${from}`, query_params: params });
 */
export async function invoicedEvents(
  clickhouse: ClickHouseClient,
  {
    tenantIds = [],
    month,
    since = month,
    acceptedBefore,
  }: { tenantIds?: readonly string[]; month: Month; since?: Month; acceptedBefore?: Date },
): Promise<InvoicedEvents> {
  const times = {
    start: since.start.getTime(),
    end: month.end.getTime(),
    before: previousMonth(since.start).start.getTime(),
    opens: closingOf(previousMonth(since.start)).getTime(),
    grace: closingOf(since).getTime(),
    closes: (acceptedBefore ?? closingOf(month)).getTime(),
  };
  const params = { ...times, tenants: tenantIds };
  const special = await tenantsWithCopiesOrLateEvents(clickhouse, params);
  // One month's need not be worded for each event.
  const usageMonth = since.name === month.name ? `'${month.name}'` : USAGE_MONTH;
  const usual = `
      SELECT ${COLUMNS}, ${usageMonth} AS usage_month
      FROM ${EVENTS_TABLE} FINAL
      WHERE ${MINE} AND ${ON_TIME}`;
  if (special.length === 0) return { from: `(${usual})`, params };
  return {
    from: `(
      ${usual} AND tenant_id NOT IN {special:Array(String)}
      UNION ALL
      SELECT ${COLUMNS}, ${USAGE_MONTH} AS usage_month
      FROM
      (
        SELECT ${COLUMNS}
        FROM ${EVENTS_TABLE} FINAL
        WHERE tenant_id IN {special:Array(String)}
          AND ${UP_TO}
          AND (
            timestamp >= ${at('before')}
            OR (tenant_id, event_id) IN (
              SELECT tenant_id, event_id
              FROM ${EVENTS_TABLE}
              WHERE tenant_id IN {special:Array(String)} AND ((${LATE}) OR (${AFTER_GRACE}))))
        ORDER BY created_at, timestamp
        LIMIT 1 BY tenant_id, event_id
      )
      WHERE (${ON_TIME}) OR (${LATE})
    )`,
    params: { ...params, special },
  };
}

/** Few, as a rule none: only their events are gone through one by one. */
async function tenantsWithCopiesOrLateEvents(
  clickhouse: ClickHouseClient,
  params: Record<string, unknown>,
): Promise<string[]> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id
      FROM ${EVENTS_TABLE}
      WHERE ${MINE} AND timestamp >= ${at('before')} AND ${UP_TO}
      GROUP BY tenant_id
      -- In two thirds of the time of uniqExact(); equal hashes of different ids only mean a closer look.
      HAVING count() != arrayUniq(groupArray(cityHash64(event_id)))
      -- Two, not one with OR, for which the index on created_at would have the whole month read.
      UNION DISTINCT SELECT DISTINCT tenant_id FROM ${EVENTS_TABLE} WHERE ${MINE} AND ${LATE}
      UNION DISTINCT SELECT DISTINCT tenant_id FROM ${EVENTS_TABLE} WHERE ${MINE} AND ${AFTER_GRACE}`,
    query_params: params,
    format: 'JSONEachRow',
  });
  return (await result.json<{ tenant_id: string }>()).map(({ tenant_id }) => tenant_id);
}
