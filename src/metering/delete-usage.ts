/** Takes tenants' usage out of the events and both rollups. */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { deleteRows } from '../tenant-rows.js';
import { USAGE_TABLES } from './tables.js';

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
  await Promise.all(USAGE_TABLES.map((table) => deleteRows(clickhouse, table, tenantIds)));
}
