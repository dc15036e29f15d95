/**
 * The tracker: what the service calls for each billable action. `track()` returns at once; the
 * events travel in batches, and wait in the fallback file while ClickHouse is away.
 */
import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import { PRICE_TABLES, type PriceTable } from './costs.js';
import { createEvent, type EventInput, type UsageEvent } from './event.js';
import { FallbackFile } from './fallback-file.js';
import { type Batch, insertBatch } from './insert-events.js';

export interface UsageTrackerOptions {
  /** File that keeps batches while ClickHouse is away. */
  readonly fallbackFile: string;
  /** Waiting events that start a flush. @default 100 */
  readonly batchSize?: number;
  /** Longest time that an event waits for its batch to fill. @default 1000 */
  readonly flushIntervalMs?: number;
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
  /** Events that went to the fallback file. */
  readonly fellBack: number;
  /** Batches that ClickHouse confirmed. */
  readonly batches: number;
  /** Inserts that failed. */
  readonly failures: number;
  /** Bytes that wait in the fallback file. */
  readonly fallbackBytes: number;
  /** Why the last insert failed, if it did. */
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
  readonly #fallback: FallbackFile;
  readonly #options: Required<UsageTrackerOptions>;
  #waiting: UsageEvent[] = [];
  /** The batch whose fate is open: it keeps its id until ClickHouse or the disk has it. */
  #unsettled: Batch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<number> = Promise.resolve(0);
  /** The flush that waits for its turn. */
  #nextFlush: Promise<number> | undefined;
  #closed = false;
  #counts = { tracked: 0, stored: 0, fellBack: 0, batches: 0, failures: 0 };
  #lastError: string | undefined;

  /** @param clickhouse where events go; without it they all wait in the fallback file */
  constructor(clickhouse: ClickHouseClient | undefined, options: UsageTrackerOptions) {
    const {
      fallbackFile,
      batchSize = 100,
      flushIntervalMs = 1_000,
      priceTables = PRICE_TABLES,
      now = () => new Date(),
    } = options;
    if (!fallbackFile) throw new RangeError('Cannot make tracker: fallbackFile must name a file');
    for (const [name, value] of Object.entries({ batchSize, flushIntervalMs })) {
      if (!Number.isInteger(value) || value < 1 || value > LARGEST_OPTION) {
        throw new RangeError(
          `Cannot make tracker: ${name} must be a whole number from 1 to ${LARGEST_OPTION}, current value is ${value}`,
        );
      }
    }
    this.#clickhouse = clickhouse;
    this.#fallback = new FallbackFile(fallbackFile);
    this.#options = { fallbackFile, batchSize, flushIntervalMs, priceTables, now };
  }

  /**
   * Accepts an action: fixes its id, time and cost, and returns the event. Never waits for a
   * service and never throws for its sake; only for what the caller got wrong.
   *
   * @throws InvalidInputError, UnknownModelError as `createEvent()`; nothing is kept then.
   */
  track(input: EventInput): UsageEvent {
    if (this.#closed) throw new Error('Cannot track event: the tracker is closed');
    const event = createEvent(input, { priceTables: this.#options.priceTables, now: this.#options.now() });
    this.#waiting.push(event);
    this.#counts.tracked += 1;
    if (this.#waiting.length >= this.#options.batchSize) {
      void this.#startFlush();
    } else {
      this.#arm();
    }
    return event;
  }

  /**
   * Sends all that waits, the fallback file first. Returns when every event tracked so far is
   * stored or on disk.
   *
   * @throws what the disk says, when neither ClickHouse nor the fallback file took a batch; the
   *   events then still wait in memory.
   */
  async flush(): Promise<void> {
    const left = await this.#startFlush();
    if (left > 0) throw new Error(`Cannot store ${left} events: ${this.#lastError ?? 'no reason given'}`);
  }

  /** Flushes and ends the timer. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  /** What happened so far. */
  async stats(): Promise<TrackerStats> {
    return {
      ...this.#counts,
      buffered: this.#buffered(),
      fallbackBytes: await this.#fallback.size(),
      lastError: this.#lastError,
    };
  }

  #buffered(): number {
    return this.#waiting.length + (this.#unsettled?.events.length ?? 0);
  }

  /** Flushes after the interval; events in memory keep the process alive until then. */
  #arm(): void {
    this.#timer ??= setTimeout(() => void this.#startFlush(), this.#options.flushIntervalMs);
  }

  /**
   * One flush at a time, and one at most that waits: it takes all that is there when its turn comes.
   * Never rejects; gives the number of events that neither ClickHouse nor the disk took.
   */
  #startFlush(): Promise<number> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#nextFlush ??= this.#flushing.then(() => {
      this.#nextFlush = undefined;
      return this.#sendWaiting();
    });
    this.#flushing = this.#nextFlush;
    return this.#flushing;
  }

  async #sendWaiting(): Promise<number> {
    let left = 0;
    await this.#replayFallback();
    while (this.#buffered() > 0) {
      this.#unsettled ??= { id: randomUUID(), events: this.#waiting.splice(0, LARGEST_BATCH) };
      try {
        await this.#store(this.#unsettled);
      } catch (error) {
        this.#lastError = messageOf(error);
        left = this.#buffered();
        break;
      }
      this.#unsettled = undefined;
    }
    await this.#tryAgainLater();
    return left;
  }

  /** What waits in memory or on disk is tried again without a new event to set it off. */
  async #tryAgainLater(): Promise<void> {
    const { buffered, fallbackBytes } = await this.stats();
    if (this.#closed || !this.#clickhouse) return;
    if (buffered > 0) this.#arm();
    else if (fallbackBytes > 0) {
      this.#arm();
      // What is on disk is safe; a process that has nothing else to do may end.
      this.#timer?.unref();
    }
  }

  /** To ClickHouse, else to the disk; throws when neither took it. */
  async #store(batch: Batch): Promise<void> {
    try {
      await this.#send(batch);
    } catch {
      await this.#fallback.append(batch);
      this.#counts.fellBack += batch.events.length;
    }
  }

  async #send(batch: Batch): Promise<void> {
    try {
      if (!this.#clickhouse) throw new Error('ClickHouse is off');
      await insertBatch(this.#clickhouse, batch);
    } catch (error) {
      this.#counts.failures += 1;
      this.#lastError = messageOf(error);
      throw error;
    }
    this.#counts.batches += 1;
    this.#counts.stored += batch.events.length;
  }

  async #replayFallback(): Promise<void> {
    if ((await this.#fallback.size()) === 0) return;
    try {
      await this.#fallback.replay((batch) => this.#send(batch));
    } catch (error) {
      this.#lastError = messageOf(error);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
