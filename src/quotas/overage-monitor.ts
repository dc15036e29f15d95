/**
 * Finds tenants that come near their day's quota or are beyond it, from the rollup, and tells once
 * a day for each mark. The gate refuses at the limit by itself; this is for those who should know
 * before, and for use that never passed the gate.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import type { Notifier } from '../notifier.js';
import { dayOf } from '../period.js';
import { type DailyLimits, QUOTA_MARKS } from '../plans.js';

export interface QuotaAlert {
  readonly tenantId: string;
  readonly mark: keyof typeof QUOTA_MARKS;
  readonly queries: number;
  readonly limit: number;
}

/**
 * Tells once a day for each mark (80, 90 and 100 % of the daily queries) that a tenant reached, from the rollup.
 *
 * @param limitsOf the limits of a tenant; undefined for one that is not watched
 * @example
 * const monitor = overageMonitor(clickhouse, { limitsOf: () => limits, notifier: consoleNotifier });
 * await monitor.check(new Date()); // every five minutes, say
 */
export function overageMonitor(
  clickhouse: ClickHouseClient,
  { limitsOf, notifier }: { limitsOf: (tenantId: string) => DailyLimits | undefined; notifier: Notifier },
) {
  const told = new Set<string>();
  return {
    /** Tells of every mark that a tenant newly reached, and returns those. */
    async check(now: Date): Promise<QuotaAlert[]> {
      const day = dayOf(now);
      const alerts: QuotaAlert[] = [];
      for (const { tenant_id: tenantId, queries } of await queriesByTenant(clickhouse, day)) {
        const limit = limitsOf(tenantId)?.queries;
        const mark = limit === undefined ? undefined : highestMark(queries, limit);
        const key = `${day} ${tenantId} ${mark}`;
        if (limit === undefined || !mark || told.has(key)) continue;
        const text = `${queries} of ${limit} queries used on ${day} (${Math.floor((100 * queries) / limit)} %)`;
        await notifier.notify({ topic: `quota ${mark}`, tenantId, text });
        told.add(key);
        alerts.push({ tenantId, mark, queries, limit });
      }
      for (const key of told) if (!key.startsWith(day)) told.delete(key);
      return alerts;
    },
  };
}

function highestMark(queries: number, limit: number): QuotaAlert['mark'] | undefined {
  const reached = (mark: QuotaAlert['mark']) => queries * 100 >= limit * QUOTA_MARKS[mark];
  return (['block', 'alert', 'warning'] as const).find(reached);
}

async function queriesByTenant(
  clickhouse: ClickHouseClient,
  day: string,
): Promise<{ tenant_id: string; queries: number }[]> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, sumIf(events, event_type = 'query') AS queries
      FROM usage_daily
      WHERE day = {day:Date}
      GROUP BY tenant_id
      ORDER BY tenant_id`,
    query_params: { day },
    format: 'JSONEachRow',
  });
  return result.json();
}
