/**
 * Webhooks that wait for their handler. An event is stored before Stripe gets its 200, so that what was
 * answered is never lost; it is handled afterwards, so that the answer is quick. Stripe sends some events
 * twice: the event's id is the job's, and finished jobs are kept for longer than Stripe tries.
 */
import { setTimeout } from 'node:timers/promises';
import { Queue, type Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { JOB_PREFIX, jobWorker } from '../../job-worker.js';
import type { RedisClient } from '../../redis-client.js';
import { fromSeconds } from '../context.js';
import type { WebhookEvent } from './webhook-event.js';

export interface WebhookQueueOptions {
  /** Tries of an event whose handler throws; then it is a dead letter. @default 12: over an hour or so */
  readonly attempts?: number;
  /** Wait before the second try; it doubles for each further one. @default 1000 */
  readonly backoffMs?: number;
  /** After how long an event is given to another whose worker was killed or hangs. @default 30_000 */
  readonly stalledMs?: number;
}

/** An event whose handler failed every time. */
export interface DeadLetter {
  readonly event: WebhookEvent;
  readonly reason: string;
}

/** Stripe retries for three days, and lists events for thirty: an id seen in that time is known. */
const REMEMBERED_SECONDS = 35 * 86_400;

/** Of so many events that were handled last the newest tells how far Stripe's list is known. */
const LOOKED_AT = 100;

/** Between two looks whether all is handled. */
const LOOK_MS = 20;

const NAME = 'stripe-webhooks';

/**
 * Events that wait in Redis for their handler, each once; those that failed every time are dead letters.
 *
 * @example
 * const queue = new WebhookQueue(redis);
 * await queue.add(verifyWebhookSignature({ body, signature, secret }));
 * queue.work(async (event) => console.log(event.type));
 * await queue.close();
 */
export class WebhookQueue {
  readonly #options: WebhookQueueOptions;
  readonly #redis: Redis;
  readonly #queue: Queue<WebhookEvent>;
  #worker: Worker<WebhookEvent> | undefined;

  constructor(client: RedisClient, options: WebhookQueueOptions = {}) {
    this.#options = options;
    // Whoever adds waits for Stripe's sake: while Redis is away it fails at once, and Stripe tries again.
    this.#redis = (client as unknown as Redis).duplicate({ enableOfflineQueue: false });
    this.#queue = new Queue(NAME, { connection: this.#redis, prefix: JOB_PREFIX });
    // The calls that fail tell their callers; without a listener an error would end the process.
    for (const source of [this.#redis, this.#queue]) source.on('error', () => undefined);
  }

  /**
   * Stores an event; one that was seen before is not stored again.
   *
   * @throws when Redis does not take it: Stripe must not be told that it was
   */
  async add(event: WebhookEvent): Promise<void> {
    const { attempts = 12, backoffMs = 1_000 } = this.#options;
    await this.#queue.add(event.type, event, {
      jobId: event.id,
      attempts,
      backoff: { type: 'exponential', delay: backoffMs },
      removeOnComplete: { age: REMEMBERED_SECONDS },
    });
  }

  /**
   * Begins to handle events in this process, several at once.
   *
   * @param handle is called at least once for each event; a throw has it tried again
   */
  work(handle: (event: WebhookEvent) => Promise<void>): void {
    const { stalledMs = 30_000 } = this.#options;
    const options = { name: NAME, stalledMs, waits: 'Webhooks wait' };
    this.#worker = jobWorker<WebhookEvent>(this.#redis as RedisClient, options, ({ data }) => handle(data));
  }

  /** Events that wait or are being handled. */
  async waiting(): Promise<number> {
    return this.#queue.getJobCountByTypes('waiting', 'active', 'delayed');
  }

  /** Resolves when every event so far was handled, or is a dead letter. */
  async settled(): Promise<void> {
    while ((await this.waiting()) > 0) await setTimeout(LOOK_MS);
  }

  /** When the newest of the events that were handled last came to be; undefined when none is known. */
  async newestHandled(): Promise<Date | undefined> {
    const jobs = await this.#queue.getCompleted(0, LOOKED_AT - 1);
    const newest = Math.max(...jobs.map(({ data }) => data.created));
    return jobs.length > 0 ? fromSeconds(newest) : undefined;
  }

  /** Events whose handler failed every time, oldest first. */
  async deadLetters(): Promise<DeadLetter[]> {
    const jobs = await this.#queue.getFailed();
    return jobs.reverse().map(({ data, failedReason }) => ({ event: data, reason: failedReason }));
  }

  /**
   * Has dead letters tried again, as often as a new event is.
   *
   * @param ids of the events; all without
   * @returns how many there were
   */
  async retryDeadLetters(ids?: readonly string[]): Promise<number> {
    const jobs = await this.#queue.getFailed();
    const chosen = jobs.filter(({ data }) => ids?.includes(data.id) ?? true);
    for (const job of chosen) await job.retry('failed', { resetAttemptsMade: true });
    return chosen.length;
  }

  /** Lets running handlers end. */
  async close(): Promise<void> {
    await this.#worker?.close();
    await this.#queue.close();
    this.#redis.disconnect();
  }
}
