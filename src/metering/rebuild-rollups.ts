/** The repair of rollups: takes the days that differ out, and adds them up again from the events. */
import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Month } from '../period.js';
import { distinctEvents, parametersOf, type RollupDifference } from './compare-rollups.js';

/**
 * Rebuilds each day that differs, for its tenant alone. Meant for days that are over: an event that
 * comes in between the two steps counts twice, and the next comparison finds it. Between them the
 * day is missing on the dashboard; killed there, the next comparison finds that as well.
 *
 * @example await rebuildRollups(clickhouse, { month, differences: await compareRollups(clickhouse, { month }) });
 */
export async function rebuildRollups(
  clickhouse: ClickHouseClient,
  { month, differences }: { month: Month; differences: readonly RollupDifference[] },
): Promise<void> {
  for (const { table, tenantId, day } of differences) {
    const daily = table === 'usage_daily';
    const query_params = { ...parametersOf(month), tenantId, day };
    await clickhouse.command({
      query: `
        ALTER TABLE ${table}
        DELETE WHERE tenant_id = {tenantId:String} AND ${daily ? 'day' : "toDate(hour, 'UTC')"} = {day:Date}
        SETTINGS mutations_sync = 1`,
      query_params,
    });
    // A token of its own: the same rows as before the deletion would pass for known ones.
    await clickhouse.command({
      query: `
        INSERT INTO ${table}
        SETTINGS insert_deduplication_token = '${randomUUID()}'
        SELECT
          tenant_id,
          ${daily ? "toDate(timestamp, 'UTC')" : "toStartOfHour(timestamp, 'UTC')"} AS period,
          event_type,
          model,
          count(),
          sum(queries),
          sum(tokens_input),
          sum(tokens_output),
          sum(bytes),
          sum(cost_usd)
        FROM ${distinctEvents('AND tenant_id = {tenantId:String}')}
        WHERE toDate(timestamp, 'UTC') = {day:Date}
        GROUP BY tenant_id, period, event_type, model`,
      query_params,
    });
  }
}
