/**
 * Whether a tenant could live on a smaller plan. Its limits per day decide, by the busiest of the last
 * thirty days: beyond them queries would be refused. The included queries do not: whoever uses more
 * pays overage, which may well be cheaper than the bigger plan.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { DAY_MS, dayOf } from '../period.js';
import { type DailyLimits, limitsOf, type PlanName } from '../plans.js';
import { UseExceedsPlanError } from './use-exceeds-plan-error.js';

/** With today. Whatever day of the month it is, there are weekdays and weekends among them. */
const DAYS = 30;

/**
 * Read as the gate counts: from the daily rollup, failed queries too.
 *
 * @throws UseExceedsPlanError with the busiest day.
 */
export async function checkUseFits(
  clickhouse: ClickHouseClient,
  { tenantId, plan, now }: { tenantId: string; plan: PlanName; now: Date },
): Promise<void> {
  const limits = limitsOf(plan);
  const result = await clickhouse.query({
    query: `
      SELECT
        toString(day) AS date,
        sumIf(events, event_type = 'query') AS queries,
        sum(tokens_input) + sum(tokens_output) AS tokens
      FROM usage_daily
      WHERE tenant_id = {tenantId:String}
        AND day >= {first:Date}
      GROUP BY day
      HAVING queries > {queries:UInt64}
        OR tokens > {tokens:UInt64}
      ORDER BY queries DESC, tokens DESC
      LIMIT 1`,
    query_params: { tenantId, first: dayOf(new Date(now.getTime() - (DAYS - 1) * DAY_MS)), ...limits },
    format: 'JSONEachRow',
  });
  const [busiest] = await result.json<DailyLimits & { date: string }>();
  if (!busiest) return;
  const used = { queries: Number(busiest.queries), tokens: Number(busiest.tokens) };
  throw new UseExceedsPlanError(tenantId, plan, busiest.date, used, limits);
}
