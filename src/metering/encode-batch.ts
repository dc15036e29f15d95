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
  readonly rows: Buffer;
}

/**
 * Most events of one insert. It makes a part in each of three tables, which costs as much as some ten
 * thousand rows: with fewer a tracker that is behind catches up at two thirds of the speed; more gain little.
 */
export const LARGEST_BATCH = 50_000;

/** Events that are written without a pause: about a millisecond's work. */
export const SLICE = 250;

/** Events one line each, `SLICE` of them but for the last of a batch. */
export interface Slice {
  readonly oldest: number;
  /** Bytes, which no garbage collection has to move. */
  readonly rows: Buffer;
}

export function encodeSlice(events: readonly UsageEvent[]): Slice {
  return {
    oldest: events[0]?.created_at ?? 0,
    rows: Buffer.from(events.map((event) => `${encodeRow(event)}\n`).join('')),
  };
}

/**
 * Writes a batch in slices, so that requests get their turn in between.
 *
 * @param written full slices of events that come before
 * @example await insertBatch(clickhouse, await encodeBatch(randomUUID(), events));
 */
export async function encodeBatch(
  id: string,
  events: readonly UsageEvent[],
  written: readonly Slice[] = [],
): Promise<EncodedBatch> {
  const slices = [...written];
  for (let start = 0; start < events.length; start += SLICE) {
    if (start > 0) await setImmediate();
    slices.push(encodeSlice(events.slice(start, start + SLICE)));
  }
  return {
    id,
    count: written.length * SLICE + events.length,
    oldest: slices[0]?.oldest ?? 0,
    rows: Buffer.concat(slices.map(({ rows }) => rows)),
  };
}
