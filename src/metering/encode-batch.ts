/** A batch as it travels: its id for life, and its events as ClickHouse reads them. */
import { setImmediate } from 'node:timers/promises';
import { encodeRow, type UsageEvent } from './event.js';

export interface EncodedBatch {
  /** A UUID: what the engine knows the batch by when it comes again. */
  readonly id: string;
  /** Events in it. */
  readonly count: number;
  /** When its first event was accepted, in epoch milliseconds. */
  readonly oldest: number;
  /** One line of JSON for each event, its values in the order of `EVENT_COLUMNS`. */
  readonly rows: string;
}

/** Most events of one insert: beyond it larger batches gain nothing and cost memory. */
export const LARGEST_BATCH = 10_000;

/** Events that are written without a pause: about a millisecond's work. */
const SLICE = 250;

/**
 * Writes a batch in slices, so that requests get their turn in between.
 *
 * @example await insertBatch(clickhouse, await encodeBatch(randomUUID(), events));
 */
export async function encodeBatch(id: string, events: readonly UsageEvent[]): Promise<EncodedBatch> {
  const slices: string[] = [];
  for (let start = 0; start < events.length; start += SLICE) {
    if (start > 0) await setImmediate();
    const lines = events.slice(start, start + SLICE).map((event) => `${encodeRow(event)}\n`);
    slices.push(lines.join(''));
  }
  return { id, count: events.length, oldest: events[0]?.created_at ?? 0, rows: slices.join('') };
}
