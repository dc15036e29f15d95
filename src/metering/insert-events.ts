/** The plain insert: events of one batch, under the batch's id. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { UsageEvent } from './event.js';
import { EVENTS_TABLE } from './tables.js';

/** Events that are stored together, under an id that stays the batch's own for life. */
export interface Batch {
  /** A UUID: what the engine knows the batch by when it comes again. */
  readonly id: string;
  readonly events: readonly UsageEvent[];
}

/**
 * Stores a batch. Sent again with the same id it is not stored again, in the rollups neither.
 *
 * @example await insertBatch(clickhouse, { id: randomUUID(), events })
 */
export async function insertBatch(clickhouse: ClickHouseClient, { id, events }: Batch): Promise<void> {
  if (!/^[0-9a-f-]{36}$/.test(id)) {
    throw new RangeError(
      `Cannot insert batch: its id must be a UUID, current value is ${JSON.stringify(id)}`,
    );
  }
  if (events.length === 0) return;
  // The settings stand in the statement itself: the embedded engine would keep one that is passed
  // beside it for all later statements, and drop the next batch as known.
  await clickhouse.command({
    query: `
      INSERT INTO ${EVENTS_TABLE}
      SETTINGS insert_deduplication_token = '${id}',
        deduplicate_blocks_in_dependent_materialized_views = 1,
        async_insert = 0
      FORMAT JSONEachRow
      ${events.map((event) => JSON.stringify(event)).join('\n')}`,
  });
}
