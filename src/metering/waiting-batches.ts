/** Batches in the fallback file, and which of them are sent together. */
import { randomUUID } from 'node:crypto';
import { LARGEST_BATCH } from './encode-batch.js';

/** The line before a batch's events. */
export interface Header {
  readonly batch: string;
  readonly events: number;
  /** Length of the events' lines. */
  readonly bytes: number;
  /** CRC-32 of the events' lines: tells what was changed since. */
  readonly crc: number;
  readonly oldest: number;
  /** It was sent before it was written, and ClickHouse may know it. */
  readonly tried?: true;
}

/** The events of one header, and where they begin. */
export interface Part {
  readonly header: Header;
  readonly start: number;
  /** Length of both. */
  readonly size: number;
}

/** A batch that waits: as it was written, or several small ones that are sent together. */
export interface Entry {
  readonly id: string;
  /** Once it may have been sent it stays as it is. */
  readonly tried: boolean;
  readonly parts: readonly Part[];
}

/** Written before the first so many waiting batches are sent as one, under this id. */
export interface Sending {
  readonly sending: string;
  readonly from: string;
  readonly to: string;
  readonly batches: number;
}

const eventsOf = (parts: readonly Part[]): number =>
  parts.reduce((sum, { header }) => sum + header.events, 0);

/** What waits on the disk. */
export interface Waits {
  readonly events: number;
  /** Their size in the file, without what was sent. */
  readonly bytes: number;
  /** When the oldest waiting event was accepted, in epoch milliseconds. */
  readonly oldest: number | undefined;
}

export function whatWaits(entries: readonly Entry[]): Waits {
  const parts = entries.flatMap((entry) => entry.parts);
  const oldest = parts.reduce(
    (eldest, { header }) => Math.min(eldest, header.oldest),
    Number.POSITIVE_INFINITY,
  );
  return {
    events: eventsOf(parts),
    bytes: parts.reduce((sum, { size }) => sum + size, 0),
    oldest: parts.length > 0 ? oldest : undefined,
  };
}

/** Of the batches that wait the first, and the small ones right behind it that were never sent either. */
export function together(waiting: readonly Entry[]): readonly Entry[] {
  let events = 0;
  const end = waiting.findIndex(({ tried, parts }) => {
    events += eventsOf(parts);
    return tried || events > LARGEST_BATCH;
  });
  return waiting.slice(0, end === -1 ? waiting.length : Math.max(1, end));
}

/** Batches that go as one. One alone keeps its id; several get a new one, which stands for all of them. */
export function joined(entries: readonly Entry[], id: string = randomUUID()): Entry {
  const [first] = entries;
  return {
    id: first && entries.length === 1 ? first.id : id,
    tried: true,
    parts: entries.flatMap(({ parts }) => parts),
  };
}

/** The line that says so. */
export function sendingMark({ id, parts }: Entry): string {
  const [from = '', to = ''] = [parts[0], parts.at(-1)].map((part) => part?.header.batch);
  const sending: Sending = { sending: id, from, to, batches: parts.length };
  return `${JSON.stringify(sending)}\n`;
}
