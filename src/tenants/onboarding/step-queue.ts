/**
 * The steps that are to be done: a job of BullMQ for each, so that every step has tries of its own, and a
 * killed worker's goes to another. A job is gone when it has ended; what came of it is the tenant's state.
 */
import { Queue, UnrecoverableError, type Worker } from 'bullmq';
import { closeAll } from '../../close-all.js';
import { ioredisOf } from '../../ioredis-of.js';
import { JOB_PREFIX, jobWorker } from '../../job-worker.js';
import type { RedisClient } from '../../redis-client.js';
import { failureOf } from './failure-of.js';
import { STEPS, type Step } from './steps.js';

export interface StepQueueOptions {
  /** Tries of a step. @default 5 */
  readonly attempts?: number;
  /** Wait before the second try; it doubles for each further one. @default 500 */
  readonly backoffMs?: number;
  /** After how long a step is given to another whose worker was killed or hangs. @default 5000 */
  readonly stalledMs?: number;
}

export interface StepJob {
  readonly tenantId: string;
  readonly step: Step;
}

const NAME = 'onboarding';

const jobIdOf = ({ tenantId, step }: StepJob) => `${tenantId}.${step}`;

/** @example const queue = new StepQueue(redis); await queue.add({ tenantId: 'acme-corp', step: 'customer' }); */
export class StepQueue {
  readonly #options: Required<StepQueueOptions>;
  readonly #client: RedisClient;
  readonly #queue: Queue<StepJob>;
  #worker: Worker<StepJob> | undefined;

  constructor(client: RedisClient, options: StepQueueOptions = {}) {
    this.#options = { attempts: 5, backoffMs: 500, stalledMs: 5_000, ...options };
    this.#client = client;
    this.#queue = new Queue(NAME, { connection: ioredisOf(client), prefix: JOB_PREFIX });
    // The calls that fail tell their callers; without a listener an error would end the process.
    this.#queue.on('error', () => undefined);
  }

  /** One that is there already is not added again. */
  async add(job: StepJob, { delayMs = 0 }: { delayMs?: number } = {}): Promise<void> {
    const { attempts, backoffMs } = this.#options;
    await this.#queue.add(job.step, job, {
      jobId: jobIdOf(job),
      delay: delayMs,
      attempts,
      backoff: { type: 'exponential', delay: backoffMs },
      removeOnComplete: true,
      removeOnFail: true,
    });
  }

  /** The same, without the delay of one that is there. */
  async addNow(job: StepJob): Promise<void> {
    await this.add(job);
    const added = await this.#queue.getJob(jobIdOf(job));
    // One that was begun meanwhile is as good.
    if (added && (await added.isDelayed())) await added.promote().catch(() => undefined);
  }

  /** Whether a step of this tenant waits or is being done. */
  async has(tenantId: string): Promise<boolean> {
    const jobs = await Promise.all(STEPS.map((step) => this.#queue.getJob(jobIdOf({ tenantId, step }))));
    return jobs.some(Boolean);
  }

  /**
   * Begins to do steps in this process, those of several tenants at once.
   *
   * @param run is called at least once for each step; what it throws has it tried again, as long as it was
   *   not the last try
   */
  work(run: (job: StepJob, options: { isLast: boolean }) => Promise<void>): void {
    const { attempts, stalledMs } = this.#options;
    const options = { name: NAME, stalledMs, waits: 'Onboarding waits' };
    this.#worker = jobWorker<StepJob>(this.#client, options, async ({ data, attemptsMade }) => {
      try {
        await run(data, { isLast: attemptsMade + 1 >= attempts });
      } catch (error) {
        // BullMQ keeps the message and the stack: neither may have personal data.
        const { reason, isFinal } = failureOf(error);
        throw isFinal ? new UnrecoverableError(reason) : new Error(reason);
      }
    });
  }

  /** Lets running steps end. */
  async close(): Promise<void> {
    await closeAll(
      () => this.#worker?.close(),
      () => this.#queue.close(),
    );
  }
}
