/**
 * For every night: do the rollups say what the events say? They count what arrives, so an
 * event that its caller sent twice in different batches is twice in them and once on the invoice.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { formatUsd, parseUsd } from '../money.js';
import { closingOf, type Month, monthOf, previousMonth } from '../period.js';
import { EVENTS_TABLE, ROLLUP_TABLES } from './tables.js';

const SUMS = ['queries', 'tokens_input', 'tokens_output', 'bytes', 'cost_usd'];

/** A tenant's day on which a rollup is not what the events add up to. */
export interface RollupDifference {
  readonly table: (typeof ROLLUP_TABLES)[number];
  readonly tenantId: string;
  /** e.g. `2025-11-30` */
  readonly day: string;
  readonly queries: { readonly events: number; readonly rollup: number };
  /** Dollars with eight places. */
  readonly cost: { readonly events: string; readonly rollup: string };
}

/**
 * Every difference of a month, in order; none is the normal answer.
 *
 * @example const differences = await compareRollups(clickhouse, { month: parseMonth('2025-11') });
 */
export async function compareRollups(
  clickhouse: ClickHouseClient,
  { month }: { month: Month },
): Promise<RollupDifference[]> {
  const differences: RollupDifference[] = [];
  for (const table of ROLLUP_TABLES) {
    const day = table === 'usage_daily' ? 'day' : "toDate(hour, 'UTC')";
    const time = table === 'usage_daily' ? 'day' : 'hour';
    const result = await clickhouse.query({
      query: `
        SELECT
          tenant_id AS tenantId,
          toString(the_day) AS day,
          sumIf(queries, not rollup) AS eventQueries,
          sumIf(queries, rollup) AS rollupQueries,
          toString(sumIf(cost_usd, not rollup)) AS eventCost,
          toString(sumIf(cost_usd, rollup)) AS rollupCost
        FROM
        (
          SELECT 0 AS rollup, tenant_id, toDate(timestamp, 'UTC') AS the_day, 1 AS events, ${SUMS}
          FROM ${distinctEvents('')}
          UNION ALL
          SELECT 1, tenant_id, ${day}, events, ${SUMS}
          FROM ${table}
          WHERE toYYYYMM(${time}) = {month:UInt32}
        )
        GROUP BY tenant_id, the_day
        HAVING ${['events', ...SUMS].map((sum) => `sumIf(${sum}, rollup) != sumIf(${sum}, not rollup)`).join(' OR ')}
        ORDER BY tenant_id, the_day`,
      query_params: parametersOf(month),
      format: 'JSONEachRow',
    });
    for (const row of await result.json<DifferenceRow>()) {
      differences.push({
        table,
        tenantId: row.tenantId,
        day: row.day,
        queries: { events: row.eventQueries, rollup: row.rollupQueries },
        cost: { events: usd(row.eventCost), rollup: usd(row.rollupCost) },
      });
    }
  }
  return differences;
}

const usd = (cost: string) => formatUsd(parseUsd(cost));

interface DifferenceRow {
  tenantId: string;
  day: string;
  eventQueries: number;
  rollupQueries: number;
  eventCost: string;
  rollupCost: string;
}

/**
 * Events of a month, each id once: of copies the earliest accepted, looked for as the invoice does, in
 * the months before and after as well, and at any age for what was accepted too late for its month.
 *
 * @param filter a further condition, e.g. `AND tenant_id = {tenantId:String}`
 */
export const distinctEvents = (filter: string): string => `
  (
    SELECT *
    FROM
    (
      SELECT *
      FROM ${EVENTS_TABLE} FINAL
      WHERE
        (
          toYYYYMM(timestamp) IN ({before:UInt32}, {month:UInt32}, {after:UInt32})
          OR (tenant_id, event_id) IN (
            SELECT tenant_id, event_id
            FROM ${EVENTS_TABLE}
            WHERE toYYYYMM(timestamp) = {month:UInt32}
              AND created_at >= fromUnixTimestamp64Milli({closes:Int64}, 'UTC'))
        ) ${filter}
      ORDER BY created_at, timestamp
      LIMIT 1 BY tenant_id, event_id
    )
    WHERE toYYYYMM(timestamp) = {month:UInt32}
  )`;

/** Parameters of `distinctEvents`. */
export function parametersOf(month: Month): Record<'before' | 'month' | 'after' | 'closes', number> {
  const numberOf = (name: string) => Number(name.replace('-', ''));
  return {
    before: numberOf(previousMonth(month.start).name),
    month: numberOf(month.name),
    after: numberOf(monthOf(month.end).name),
    closes: closingOf(month).getTime(),
  };
}
