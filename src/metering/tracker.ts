/**
 * The tracker: what the service calls for each billable action. `track()` returns at once; the
 * events travel in batches, and wait on the disk while ClickHouse is away.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { ClickHouseClient } from '@clickhouse/client';
import { PRICE_TABLES, type PriceTable } from './costs.js';
import { type EncodedBatch, encodeBatch } from './encode-batch.js';
import { createEvent, type UsageEvent } from './event.js';
import type { EventInput } from './event-input.js';
import { FallbackFile } from './fallback-file.js';
import { insertBatch } from './insert-batch.js';

export interface UsageTrackerOptions {
  /** File that keeps batches while ClickHouse is away. */
  readonly fallbackFile: string;
  /** Every batch goes by way of the file, so that what `durable()` confirmed survives a kill. @default false */
  readonly writeAhead?: boolean;
  /** Waiting events that start a flush. @default 100 */
  readonly batchSize?: number;
  /** Longest time that an event waits for its batch to fill. @default 1000 */
  readonly flushIntervalMs?: number;
  /** Events kept in memory; past it they go to the file at once. @default 50_000 */
  readonly maxBuffered?: number;
  /** @default PRICE_TABLES */
  readonly priceTables?: readonly PriceTable[];
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

export interface TrackerStats {
  /** Events accepted by `track()`. */
  readonly tracked: number;
  /** Events that wait in memory. */
  readonly buffered: number;
  /** Events that ClickHouse confirmed, replayed ones included. */
  readonly stored: number;
  /** Events that went to the file. */
  readonly fellBack: number;
  /** Events that wait in the file, and its size. */
  readonly onDisk: number;
  readonly fallbackBytes: number;
  /** Batches that ClickHouse confirmed. */
  readonly batches: number;
  /** Inserts that failed. */
  readonly failures: number;
  /** Lines of the file that were no events and were put aside. */
  readonly quarantined: number;
  /** When the oldest event that is not stored was accepted, in epoch milliseconds. */
  readonly oldest: number | undefined;
  /** Why the last insert or write failed, if one did. */
  readonly lastError: string | undefined;
}

/** A timer cannot wait longer, in milliseconds. */
const LARGEST_OPTION = 2_147_483_647;

/** Most events of one insert: beyond it larger batches gain nothing and cost memory. */
const LARGEST_BATCH = 10_000;

/**
 * @example
 * const tracker = new UsageTracker(clickhouse, { fallbackFile: '.data/fallback.jsonl' });
 * tracker.track({ tenantId: 'acme-corp', model: 'gpt-4o', tokensInput: 170, tokensOutput: 12 });
 * await tracker.close();
 */
export class UsageTracker {
  readonly #clickhouse: ClickHouseClient | undefined;
  readonly #file: FallbackFile;
  readonly #options: Required<UsageTrackerOptions>;
  #waiting: UsageEvent[] = [];
  /** Batches whose fate is open keep their id until ClickHouse or the disk has them. */
  #unsent: EncodedBatch | undefined;
  #unwritten: EncodedBatch | undefined;
  #ahead: Promise<EncodedBatch | undefined> | undefined;
  /** Whether ClickHouse took the last batch of this flush. */
  #answers = true;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #nextFlush: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;
  #counts = { tracked: 0, stored: 0, fellBack: 0, batches: 0, failures: 0 };
  /** Events that left the memory: stored, or on the disk. */
  #settled = 0;
  #lastError: string | undefined;
  /** Why events are still in memory: what ClickHouse refuses goes to the disk. */
  #diskError: string | undefined;

  /** @param clickhouse where events go; without it they all wait in the file */
  constructor(clickhouse: ClickHouseClient | undefined, options: UsageTrackerOptions) {
    const {
      fallbackFile,
      writeAhead = false,
      batchSize = 100,
      flushIntervalMs = 1_000,
      maxBuffered = 50_000,
      priceTables = PRICE_TABLES,
      now = () => new Date(),
    } = options;
    if (!fallbackFile) throw new RangeError('Cannot make tracker: fallbackFile must name a file');
    for (const [name, value] of Object.entries({ batchSize, flushIntervalMs, maxBuffered })) {
      if (!Number.isInteger(value) || value < 1 || value > LARGEST_OPTION) {
        throw new RangeError(
          `Cannot make tracker: ${name} must be a whole number from 1 to ${LARGEST_OPTION}, current value is ${value}`,
        );
      }
    }
    this.#clickhouse = clickhouse;
    this.#file = new FallbackFile(fallbackFile);
    this.#options = { fallbackFile, writeAhead, batchSize, flushIntervalMs, maxBuffered, priceTables, now };
    // What an earlier process left is sent without waiting for a first event.
    if (existsSync(fallbackFile)) this.#arm().unref();
  }

  /**
   * Accepts an action: fixes its id, time and cost, and returns the event. Never waits for a
   * service and never throws for its sake; only for what the caller got wrong.
   *
   * @throws InvalidInputError, UnknownModelError as `createEvent()`; nothing is kept then.
   */
  track(input: EventInput): UsageEvent {
    if (this.#closed) throw new Error('Cannot track event: the tracker is closed');
    const { priceTables, now, batchSize, maxBuffered } = this.#options;
    const event = createEvent(input, { priceTables, now: now() });
    this.#waiting.push(event);
    this.#counts.tracked += 1;
    if (this.#waiting.length % maxBuffered === 0) this.#persist().catch(this.#notedOfDisk);
    if (this.#waiting.length >= batchSize) void this.#flush();
    else this.#arm().ref();
    return event;
  }

  /**
   * Returns when every event tracked so far survives a kill: with write-ahead when it is on the
   * disk, else when it is stored.
   *
   * @throws what the disk says; the events then still wait in memory.
   */
  durable(): Promise<void> {
    return this.#options.writeAhead ? this.#persist() : this.flush();
  }

  /**
   * Sends all that waits, the file first. Returns when every event tracked so far is stored or on
   * the disk.
   *
   * @throws what the disk says, when neither ClickHouse nor the file took a batch; the events then
   *   still wait in memory.
   */
  async flush(): Promise<void> {
    const tracked = this.#counts.tracked;
    await this.#flush();
    const left = tracked - this.#settled;
    if (left > 0) throw new Error(`Cannot store ${left} events: ${this.#diskError ?? 'no reason given'}`);
  }

  /** Flushes and ends the timer. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      clearTimeout(this.#timer);
      // A write that came after would open the file again.
      await this.#writing;
      await this.#file.close();
    }
  }

  /** What happened so far. */
  stats(): TrackerStats {
    const { events, bytes, oldest, quarantined } = this.#file.state;
    const inMemory = this.#unwritten?.oldest ?? this.#unsent?.oldest ?? this.#waiting[0]?.created_at;
    return {
      ...this.#counts,
      buffered: this.#counts.tracked - this.#settled,
      onDisk: events,
      fallbackBytes: bytes,
      quarantined,
      oldest: oldest ?? inMemory,
      lastError: this.#lastError,
    };
  }

  readonly #noted = (error: unknown): void => {
    this.#lastError = error instanceof Error ? error.message : String(error);
  };

  readonly #notedOfDisk = (error: unknown): void => {
    this.#noted(error);
    this.#diskError = this.#lastError;
  };

  #arm(): NodeJS.Timeout {
    this.#timer ??= setTimeout(() => void this.#flush(), this.#options.flushIntervalMs);
    return this.#timer;
  }

  /** One flush at a time; calls that come while one waits for its turn share it. Never rejects. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#nextFlush ??= this.#flushing.then(async () => {
      this.#nextFlush = undefined;
      await this.#drain();
    });
    this.#flushing = this.#nextFlush;
    return this.#flushing;
  }

  async #drain(): Promise<void> {
    if (this.#options.writeAhead) await this.#persist().catch(this.#notedOfDisk);
    this.#answers = true;
    await this.#file.replay((batch) => this.#send(batch)).catch(this.#noted);
    if (!this.#options.writeAhead) await this.#sendWaiting().catch(this.#notedOfDisk);
    this.#tryAgainLater();
  }

  /** From memory to ClickHouse, or to the disk once ClickHouse refused; throws when neither took it. */
  async #sendWaiting(): Promise<void> {
    for (;;) {
      this.#unsent ??= (await this.#refusedByDisk()) ?? (await this.#next());
      const batch = this.#unsent;
      if (!batch) return;
      // Another full batch is made ready while the engine works.
      if (this.#waiting.length >= LARGEST_BATCH) this.#ahead ??= this.#cut();
      if (this.#answers) await this.#send(batch).catch(() => undefined);
      if (!this.#answers) {
        await this.#file.append(batch);
        this.#counts.fellBack += batch.count;
      }
      this.#unsent = undefined;
      this.#settled += batch.count;
    }
  }

  /** From memory to the disk: write-ahead, and what memory has no room for. */
  #persist(): Promise<void> {
    const work = this.#writing.then(async () => {
      for (;;) {
        this.#unwritten ??= await this.#cut();
        const batch = this.#unwritten;
        if (!batch) return;
        await this.#file.append(batch);
        this.#unwritten = undefined;
        this.#counts.fellBack += batch.count;
        this.#settled += batch.count;
      }
    });
    this.#writing = work.catch(() => undefined);
    return work;
  }

  /** What memory had no room for and the disk did not take goes the usual way. */
  async #refusedByDisk(): Promise<EncodedBatch | undefined> {
    // With nothing else to send, what is only now made ready for the disk counts as well.
    if (this.#unwritten || this.#waiting.length === 0) await this.#writing;
    const batch = this.#unwritten;
    this.#unwritten = undefined;
    return batch;
  }

  #next(): Promise<EncodedBatch | undefined> {
    const next = this.#ahead ?? this.#cut();
    this.#ahead = undefined;
    return next;
  }

  /** The next batch gets its id here, for life. */
  async #cut(): Promise<EncodedBatch | undefined> {
    const events = this.#waiting.splice(0, LARGEST_BATCH);
    return events.length > 0 ? encodeBatch(randomUUID(), events) : undefined;
  }

  async #send(batch: EncodedBatch): Promise<void> {
    try {
      if (!this.#clickhouse) throw new Error('ClickHouse is off');
      await insertBatch(this.#clickhouse, batch);
    } catch (error) {
      this.#counts.failures += 1;
      this.#answers = false;
      this.#noted(error);
      throw error;
    }
    this.#counts.batches += 1;
    this.#counts.stored += batch.count;
  }

  /** What waits is tried again without a new event to set it off; what is safe on the disk keeps no process alive. */
  #tryAgainLater(): void {
    if (this.#closed || !this.#clickhouse) return;
    const { buffered, onDisk } = this.stats();
    if (buffered > 0) this.#arm().ref();
    else if (onDisk > 0) this.#arm().unref();
  }
}
