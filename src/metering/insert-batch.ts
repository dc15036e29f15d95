/** The plain insert: one batch, under its id. */
import { Readable } from 'node:stream';
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
  const { stream } = await clickhouse.exec({
    query: `INSERT INTO ${EVENTS_TABLE} (${EVENT_COLUMNS.join(', ')}) FORMAT JSONCompactEachRow`,
    values: Readable.from([rows]),
    clickhouse_settings: {
      insert_deduplication_token: id,
      deduplicate_blocks_in_dependent_materialized_views: 1,
      async_insert: 0,
      // A batch of more than a hundred months would be refused for ever.
      max_partitions_per_insert_block: '0',
    },
  });
  // The answer is empty; unread it would keep the connection.
  for await (const _ of stream);
}
