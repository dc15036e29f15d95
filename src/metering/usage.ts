/** Usage as the API and the notebooks ask for it, read from the daily rollup. */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { formatUsd, parseUsd } from '../money.js';
import { parseDay } from '../period.js';

/** Quantities of one tenant; money in dollars with eight places. */
export interface UsageTotals {
  readonly queries: number;
  readonly tokens_input: number;
  readonly tokens_output: number;
  readonly bytes: number;
  readonly cost_usd: string;
}

export interface UsageDay extends UsageTotals {
  /** e.g. `2025-11-30`, in UTC */
  readonly date: string;
}

export interface TenantUsage {
  readonly tenant_id: string;
  readonly start_date: string;
  readonly end_date: string;
  /** Days with usage, in order. */
  readonly days: readonly UsageDay[];
  readonly totals: UsageTotals;
}

/**
 * Usage of one tenant between two days, both included, in UTC.
 *
 * @throws RangeError when a day is no day, or the end lies before the start.
 * @throws InvalidInputError when the tenant's id is malformed.
 * @example await readUsage(clickhouse, { tenantId: 'acme-corp', startDate: '2025-11-01', endDate: '2025-11-30' })
 */
export async function readUsage(
  clickhouse: ClickHouseClient,
  { tenantId, startDate, endDate }: { tenantId: string; startDate: string; endDate: string },
): Promise<TenantUsage> {
  parseInput(tenantIdSchema, 'tenant id', tenantId);
  if (parseDay(endDate).start < parseDay(startDate).start) {
    throw new RangeError(`Cannot read usage: the end ${endDate} lies before the start ${startDate}`);
  }
  const result = await clickhouse.query({
    query: `
      SELECT
        toString(day) AS date,
        sum(queries) AS queries,
        sum(tokens_input) AS tokens_input,
        sum(tokens_output) AS tokens_output,
        sum(bytes) AS bytes,
        toString(sum(cost_usd)) AS cost_usd
      FROM usage_daily
      WHERE tenant_id = {tenantId:String}
        AND day BETWEEN {startDate:Date} AND {endDate:Date}
      GROUP BY day
      ORDER BY day`,
    query_params: { tenantId, startDate, endDate },
    format: 'JSONEachRow',
  });
  const days = (await result.json<UsageDay>()).map((day) => ({
    ...day,
    cost_usd: formatUsd(parseUsd(day.cost_usd)),
  }));
  return { tenant_id: tenantId, start_date: startDate, end_date: endDate, days, totals: addUp(days) };
}

function addUp(days: readonly UsageTotals[]): UsageTotals {
  const total = (column: keyof Omit<UsageTotals, 'cost_usd'>) =>
    days.reduce((sum, day) => sum + day[column], 0);
  return {
    queries: total('queries'),
    tokens_input: total('tokens_input'),
    tokens_output: total('tokens_output'),
    bytes: total('bytes'),
    cost_usd: formatUsd(days.reduce((sum, day) => sum + parseUsd(day.cost_usd), 0n)),
  };
}
