/** The plain insert: one batch, under its id. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { EncodedBatch } from './encode-batch.js';
import { EVENT_COLUMNS } from './event.js';
import { EVENTS_TABLE } from './tables.js';

/**
 * Stores a batch. Sent again with the same id it is not stored again, in the rollups neither.
 *
 * @throws RangeError when the id is no UUID; what ClickHouse or the connection says.
 * @example await insertBatch(clickhouse, await encodeBatch(randomUUID(), events));
 */
export async function insertBatch(
  clickhouse: ClickHouseClient,
  { id, count, rows }: EncodedBatch,
): Promise<void> {
  if (!/^[0-9a-f-]{36}$/.test(id)) {
    throw new RangeError(
      `Cannot insert batch: its id must be a UUID, current value is ${JSON.stringify(id)}`,
    );
  }
  if (count === 0) return;
  // The settings stand in the statement itself: the embedded engine would keep one that is passed
  // beside it for all later statements, and drop the next batch as known. A batch of more than a
  // hundred months would be refused for ever without the last.
  await clickhouse.command({
    query: `
      INSERT INTO ${EVENTS_TABLE} (${EVENT_COLUMNS.join(', ')})
      SETTINGS insert_deduplication_token = '${id}',
        deduplicate_blocks_in_dependent_materialized_views = 1,
        async_insert = 0,
        max_partitions_per_insert_block = 0
      FORMAT JSONCompactEachRow
      ${rows}`,
  });
}
