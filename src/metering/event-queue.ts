/** Events in memory, in the order of their acceptance, until ClickHouse or the disk has them. */
import { randomUUID } from 'node:crypto';
import {
  type EncodedBatch,
  encodeBatch,
  encodeSlice,
  LARGEST_BATCH,
  SLICE,
  type Slice,
} from './encode-batch.js';
import type { UsageEvent } from './event.js';

/** Events that somebody is at storing. */
export interface TakenBatch {
  /** How many events were accepted before its first. */
  readonly first: number;
  readonly oldest: number;
  /** Whether it was sent, so that ClickHouse may know it. */
  readonly tried: boolean;
  readonly batch: EncodedBatch;
}

/** @example const taken = await queue.take(); // then queue.settle(taken), or queue.giveBack(taken) */
export class EventQueue {
  #waiting: UsageEvent[] = [];
  /** Those before them, as bytes: thousands of waiting objects make each garbage collection long. */
  #written: Slice[] = [];
  #writing: NodeJS.Immediate | undefined;
  #returned: TakenBatch[] = [];
  /** Taken and neither settled nor given back for good: first number, size and age of each. */
  #open = new Map<number, { count: number; oldest: number }>();
  #added = 0;
  #taken = 0;

  add(event: UsageEvent): void {
    this.#waiting.push(event);
    this.#added += 1;
    if (this.#waiting.length >= SLICE) this.#writeSoon();
  }

  /** Events accepted so far. */
  get added(): number {
    return this.#added;
  }

  /** Events that nobody has taken. */
  get waiting(): number {
    return this.#written.length * SLICE + this.#waiting.length;
  }

  /** Whether one of the first so many events can be taken. */
  hasAmong(first: number): boolean {
    return this.#taken < first || (this.#returned[0]?.first ?? first) < first;
  }

  /** How many of the first so many events are neither stored nor on the disk. */
  unsettled(among = this.#added): number {
    let left = Math.max(0, among - this.#taken);
    for (const [first, { count }] of this.#open) left += Math.min(count, Math.max(0, among - first));
    return left;
  }

  /** When the oldest unsettled event was accepted. */
  get oldest(): number | undefined {
    const ages = [...this.#open.values()].map(({ oldest }) => oldest);
    const next = this.#oldestWaiting;
    if (next !== undefined) ages.push(next);
    return ages.length > 0 ? Math.min(...ages) : undefined;
  }

  /** The next batch: one that was given back, or up to 50,000 events; they get their id here, for life. */
  async take(): Promise<TakenBatch | undefined> {
    const again = this.#returned.shift();
    if (again) return again;
    const oldest = this.#oldestWaiting;
    if (oldest === undefined) return undefined;
    const written = this.#written.splice(0, LARGEST_BATCH / SLICE);
    const events = this.#waiting.splice(0, LARGEST_BATCH - written.length * SLICE);
    const [first, count] = [this.#taken, written.length * SLICE + events.length];
    this.#taken += count;
    this.#open.set(first, { count, oldest });
    return { first, oldest, tried: false, batch: await encodeBatch(randomUUID(), events, written) };
  }

  settle({ first }: TakenBatch): void {
    this.#open.delete(first);
  }

  /** For the next try, before all that came later. */
  giveBack(...batches: readonly (TakenBatch | undefined)[]): void {
    for (const one of batches) if (one) this.#returned.push(one);
    this.#returned.sort((a, b) => a.first - b.first);
  }

  get #oldestWaiting(): number | undefined {
    return this.#written[0]?.oldest ?? this.#waiting[0]?.created_at;
  }

  #writeSoon(): void {
    this.#writing ??= setImmediate(() => {
      this.#writing = undefined;
      if (this.#waiting.length < SLICE) return;
      this.#written.push(encodeSlice(this.#waiting.splice(0, SLICE)));
      if (this.#waiting.length >= SLICE) this.#writeSoon();
    });
  }
}
