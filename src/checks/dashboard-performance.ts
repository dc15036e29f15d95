/** Check 3 of M12.1 → M12.2: the largest tenant's dashboard is there in under a second. */
import type { ClickHouseClient } from '@clickhouse/client';
import { loadDashboard, tablesRead } from '../dashboard/load-dashboard.js';
import { PANELS, type Panel } from '../dashboard/panels.js';
import { ROLLUP_TABLES } from '../metering/tables.js';
import { termsAt } from '../metering/tenants.js';
import { DAY_MS } from '../period.js';
import { PLANS } from '../plans.js';
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';

export interface DashboardPerformanceOptions {
  /** The instant at which the dashboard is looked at. */
  readonly now: Date;
  /** @default PANELS */
  readonly panels?: readonly Panel[];
  /** @default 1 */
  readonly budgetSeconds?: number;
}

/**
 * Loads all panels of the largest tenant, times them, and asks the engine which tables they read:
 * a panel over raw events may be quick today and grows with every event.
 *
 * @example const result = await checkDashboardPerformance(services.clickhouse, { now });
 */
export function checkDashboardPerformance(
  clickhouse: Service<ClickHouseClient>,
  { now, panels = PANELS, budgetSeconds = 1 }: DashboardPerformanceOptions,
): Promise<CheckResult> {
  return runCheck(clickhouse, {
    id: 'dashboard-performance',
    title: 'Dashboard performance',
    expected: ['Dashboard loaded in 0.347s ✓'],
    advice:
      'Mend M12.1 before going on: let every panel read usage_hourly or usage_daily, within its partitions; a slow dashboard delays payments by 5–10 days',
    test: async (client) => {
      const largest = await largestTenant(client, now);
      if (!largest) return { problems: ['no tenant has usage in the last 30 days'], evidence: [] };
      const { tenant_id: tenantId, events } = largest;
      const terms = await termsAt(client, { tenantId, instant: now });
      const request = { tenantId, now, limits: PLANS[terms?.plan ?? 'starter'].dailyLimits };

      const started = performance.now();
      const loaded = await loadDashboard(client, { ...request, panels });
      const seconds = (performance.now() - started) / 1_000;

      const problems: string[] = [];
      if (seconds >= budgetSeconds) {
        problems.push(
          `the dashboard of ${tenantId} took ${seconds.toFixed(3)} s, the limit is ${budgetSeconds} s`,
        );
      }
      const read = new Set<string>();
      for (const { panel } of loaded) {
        const tables = await tablesRead(client, panel, request);
        for (const table of tables) read.add(table);
        const raw = tables.filter((table) => !isRollup(table));
        if (raw.length > 0) problems.push(`panel ${panel.id} reads ${raw.join(', ')}, not a rollup`);
      }
      if (loaded.every(({ rows }) => rows.length === 0)) problems.push('every panel is empty');
      return {
        problems,
        measured: { dashboard: seconds },
        evidence: [
          `Dashboard loaded in under ${budgetSeconds.toFixed(1)} s: ${loaded.length} panels of ${tenantId}, ${events.toLocaleString('en-US')} events in 30 days`,
          `tables read, as the engine says: ${[...read].sort().join(', ')}`,
        ],
      };
    },
  });
}

const isRollup = (table: string) => ROLLUP_TABLES.some((rollup) => rollup === table);

async function largestTenant(
  clickhouse: ClickHouseClient,
  now: Date,
): Promise<{ tenant_id: string; events: number } | undefined> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, sum(events) AS events
      FROM usage_daily
      WHERE day > toDate(fromUnixTimestamp64Milli({start:Int64}, 'UTC'))
        AND day <= toDate(fromUnixTimestamp64Milli({now:Int64}, 'UTC'))
      GROUP BY tenant_id
      ORDER BY events DESC, tenant_id
      LIMIT 1`,
    query_params: { start: now.getTime() - 30 * DAY_MS, now: now.getTime() },
    format: 'JSONEachRow',
  });
  return (await result.json<{ tenant_id: string; events: number }>())[0];
}
