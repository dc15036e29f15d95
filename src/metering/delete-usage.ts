/** Takes tenants' usage out of the events and both rollups. */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { EVENTS_TABLE, ROLLUP_TABLES } from './tables.js';

/**
 * Returns when the rows are gone. Deleting raw events alone would leave the rollups as they were.
 *
 * @throws InvalidInputError for a malformed tenant id.
 * @example await deleteUsage(clickhouse, { tenantId: 'acme-corp' });
 */
export async function deleteUsage(
  clickhouse: ClickHouseClient,
  { tenantId }: { tenantId: string | readonly string[] },
): Promise<void> {
  const tenantIds = [tenantId].flat();
  for (const one of tenantIds) parseInput(tenantIdSchema, 'tenant id', one);
  if (tenantIds.length === 0) return;
  // All at once: each waits mostly for the engine to take it up.
  await Promise.all(
    [EVENTS_TABLE, ...ROLLUP_TABLES].map((table) =>
      clickhouse.command({
        query: `ALTER TABLE ${table} DELETE WHERE tenant_id IN {tenantIds:Array(String)} SETTINGS mutations_sync = 1`,
        query_params: { tenantIds },
      }),
    ),
  );
}
