/** Events in memory, in the order of their acceptance, until ClickHouse or the disk has them. */
import { randomUUID } from 'node:crypto';
import { type EncodedBatch, encodeBatch, LARGEST_BATCH } from './encode-batch.js';
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
  #returned: TakenBatch[] = [];
  /** Taken and neither settled nor given back for good: first number, size and age of each. */
  #open = new Map<number, { count: number; oldest: number }>();
  #added = 0;
  #taken = 0;

  add(event: UsageEvent): void {
    this.#waiting.push(event);
    this.#added += 1;
  }

  /** Events accepted so far. */
  get added(): number {
    return this.#added;
  }

  /** Events that nobody has taken. */
  get waiting(): number {
    return this.#waiting.length;
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
    const [next] = this.#waiting;
    if (next) ages.push(next.created_at);
    return ages.length > 0 ? Math.min(...ages) : undefined;
  }

  /** The next batch: one that was given back, or up to 10,000 events; they get their id here, for life. */
  async take(): Promise<TakenBatch | undefined> {
    const again = this.#returned.shift();
    if (again) return again;
    const events = this.#waiting.splice(0, LARGEST_BATCH);
    if (events.length === 0) return undefined;
    const taken = { first: this.#taken, oldest: events[0]?.created_at ?? 0 };
    this.#taken += events.length;
    this.#open.set(taken.first, { count: events.length, oldest: taken.oldest });
    return { ...taken, tried: false, batch: await encodeBatch(randomUUID(), events) };
  }

  settle({ first }: TakenBatch): void {
    this.#open.delete(first);
  }

  /** For the next try, before all that came later. */
  giveBack(...batches: readonly (TakenBatch | undefined)[]): void {
    for (const one of batches) if (one) this.#returned.push(one);
    this.#returned.sort((a, b) => a.first - b.first);
  }
}
