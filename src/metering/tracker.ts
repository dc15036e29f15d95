/**
 * The tracker: what the service calls for each billable action. Past `maxBuffered` memory is emptied onto the
 * disk. Where the disk refuses, batches go straight to ClickHouse; where both refuse, nothing is dropped:
 * `isFull` says that the bound is passed, and a service takes no new work then.
 */
import { existsSync } from 'node:fs';
import type { ClickHouseClient } from '@clickhouse/client';
import { BatchSender } from './batch-sender.js';
import { LARGEST_BATCH } from './encode-batch.js';
import { createEvent, type UsageEvent } from './event.js';
import type { EventInput } from './event-input.js';
import { EventQueue, type TakenBatch } from './event-queue.js';
import { FallbackFile } from './fallback-file.js';
import { FlushSchedule } from './flush-schedule.js';
import { type TrackerStats, trackerOptions, type UsageTrackerOptions } from './tracker-options.js';

/**
 * Takes events and stores them in ClickHouse: `track()` returns at once, batches travel by themselves, and
 * what ClickHouse does not take waits in the fallback file. `close()` sends the rest.
 *
 * @example
 * const tracker = new UsageTracker(clickhouse, { fallbackFile: '.data/fallback.jsonl' });
 * tracker.track({ tenantId: 'acme-corp', model: 'gpt-4o', tokensInput: 170, tokensOutput: 12 });
 * await tracker.close();
 */
export class UsageTracker {
  readonly #sender: BatchSender;
  readonly #options: Required<UsageTrackerOptions>;
  readonly #file: FallbackFile;
  readonly #queue = new EventQueue();
  readonly #flushes: FlushSchedule;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;
  readonly #disk = { fellBack: 0, diskFailures: 0, diskError: undefined as string | undefined };

  /** @param clickhouse where events go; without it they all wait in the file */
  constructor(clickhouse: ClickHouseClient | undefined, options: UsageTrackerOptions) {
    this.#options = trackerOptions(options);
    this.#sender = new BatchSender(clickhouse);
    this.#file = new FallbackFile(this.#options.fallbackFile);
    this.#flushes = new FlushSchedule(this.#options.flushIntervalMs, () => this.#drain());
    // What an earlier process left is sent without waiting for a first event.
    if (existsSync(this.#options.fallbackFile)) this.#flushes.later({ keepsAlive: false });
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
    this.#queue.add(event);
    if (this.#queue.waiting % maxBuffered === 0) this.#persist().catch(() => undefined);
    if (this.#queue.waiting >= batchSize) void this.#flushes.now();
    else this.#flushes.later({ keepsAlive: true });
    return event;
  }

  /**
   * Returns when every event tracked so far survives a kill: with write-ahead when it is on the disk,
   * or stored because the disk refuses; else when it is stored. Calls at the same time share a write.
   *
   * @throws as `flush()`
   */
  async durable(): Promise<void> {
    const tracked = this.#queue.added;
    if (!this.#options.writeAhead) return this.flush();
    let refusal: unknown;
    await this.#persist().catch((error: unknown) => {
      refusal = error;
    });
    if (this.#queue.unsettled(tracked) === 0) return;
    await this.flush().catch((error: unknown) => {
      if (this.#queue.unsettled(tracked) > 0) throw refusal ?? error;
    });
  }

  /**
   * Sends all that waits, the file first. Returns when every event tracked so far is stored or on
   * the disk.
   *
   * @throws what the disk says, when neither took a batch; the events then still wait in memory.
   */
  async flush(): Promise<void> {
    const tracked = this.#queue.added;
    await this.#flushes.now();
    const left = this.#queue.unsettled(tracked);
    if (left > 0)
      throw new Error(`Cannot store ${left} events: ${this.#disk.diskError ?? 'no reason given'}`);
  }

  /** Flushes and ends the timer. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      this.#flushes.stop();
      // A write that came after would open the file again.
      await this.#writing;
      await this.#file.close();
    }
  }

  /** Whether memory holds `maxBuffered` events or more, which neither the disk nor ClickHouse takes. */
  get isFull(): boolean {
    return this.#disk.diskError !== undefined && this.#queue.unsettled() >= this.#options.maxBuffered;
  }

  /** What happened so far. */
  stats(): TrackerStats {
    const { events, bytes, oldest, quarantined } = this.#file.state;
    const ages = [oldest ?? [], this.#queue.oldest ?? []].flat();
    return {
      tracked: this.#queue.added,
      ...this.#sender.counts,
      ...this.#disk,
      buffered: this.#queue.unsettled(),
      onDisk: events,
      fallbackBytes: bytes,
      quarantined,
      oldest: ages.length > 0 ? Math.min(...ages) : undefined,
      lastError: this.#sender.lastError,
    };
  }

  async #drain(): Promise<void> {
    let straight = !this.#options.writeAhead;
    if (!straight) await this.#persist().catch(() => (straight = true));
    this.#sender.begin();
    const replayed = this.#sender.isOff
      ? this.#file.open()
      : this.#file.replay((batch) => this.#sender.send(batch));
    await replayed.catch(this.#sender.noted);
    if (straight) await this.#sendWaiting().catch(() => undefined);
    if (this.#closed || this.#sender.isOff) return;
    // Tried again without a new event to set it off; what is safe on the disk keeps no process alive.
    const inMemory = this.#queue.unsettled() > 0;
    if (inMemory || this.#file.state.events > 0) this.#flushes.later({ keepsAlive: inMemory });
  }

  /** From memory to the disk: write-ahead, and what memory has no room for. */
  #persist(): Promise<void> {
    const work = this.#writing.then(async () => {
      // What comes meanwhile is the next one's, or this would never end under load.
      const tracked = this.#queue.added;
      while (this.#queue.hasAmong(tracked)) {
        const taken = await this.#queue.take();
        if (taken) await this.#keep(taken);
      }
    });
    this.#writing = work.catch(() => undefined);
    return work;
  }

  /** From memory to ClickHouse, or to the disk once ClickHouse refused; throws when neither took it. */
  async #sendWaiting(): Promise<void> {
    // What comes meanwhile is the next flush's: its batch fills while the engine rests.
    const tracked = this.#queue.added;
    const next = async () => (this.#queue.hasAmong(tracked) ? this.#queue.take() : undefined);
    let ahead: Promise<TakenBatch | undefined> | undefined;
    for (;;) {
      // With nothing else to send, what the disk is only now about to refuse counts as well.
      const taken = (await (ahead ?? next())) ?? (await this.#writing.then(next));
      if (!taken) return;
      // Another full batch is made ready while the engine works.
      ahead = this.#queue.waiting >= LARGEST_BATCH ? next() : undefined;
      try {
        const tried = taken.tried || (this.#sender.answers && !this.#sender.isOff);
        if (this.#sender.answers) await this.#sender.send(taken.batch).catch(() => undefined);
        if (this.#sender.answers) this.#queue.settle(taken);
        else await this.#keep(taken, tried);
      } catch (error) {
        this.#queue.giveBack(await ahead);
        throw error;
      }
    }
  }

  /** Puts a batch on the disk, or back into memory. */
  async #keep(taken: TakenBatch, tried = taken.tried): Promise<void> {
    try {
      await this.#file.append(taken.batch, { tried });
    } catch (error) {
      this.#disk.diskError = this.#sender.noted(error);
      this.#disk.diskFailures += 1;
      this.#queue.giveBack({ ...taken, tried });
      throw error;
    }
    this.#disk.diskError = undefined;
    this.#queue.settle(taken);
    this.#disk.fellBack += taken.batch.count;
  }
}
