/** Takes a tenant's usage out of the events and both rollups. */
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
  { tenantId }: { tenantId: string },
): Promise<void> {
  parseInput(tenantIdSchema, 'tenant id', tenantId);
  for (const table of [EVENTS_TABLE, ...ROLLUP_TABLES]) {
    await clickhouse.command({
      query: `ALTER TABLE ${table} DELETE WHERE tenant_id = {tenantId:String} SETTINGS mutations_sync = 1`,
      query_params: { tenantId },
    });
  }
}
