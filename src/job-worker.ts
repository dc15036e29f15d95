/** What the queues of jobs (BullMQ) have in common: where they are in Redis, and how a worker does their jobs. */
import { type Job, Worker } from 'bullmq';
import { ioredisOf } from './ioredis-of.js';
import type { RedisClient } from './redis-client.js';
import { sayFailure } from './say-failure.js';

/** Of all keys in Redis. */
export const JOB_PREFIX = 'meterbridge';

/** Workers that a job may bring down: a kill is no fault of the job's, ten of them may be. */
const MOST_STALLS = 10;

/** Jobs that one process does at once. */
const AT_ONCE = 10;

export interface JobWorkerOptions {
  /** Of the queue. */
  readonly name: string;
  /** After how long a job is given to another whose worker was killed or hangs. */
  readonly stalledMs: number;
  /** What is printed while Redis is away, e.g. `Webhooks wait`. */
  readonly waits: string;
}

/** @param work is called at least once for each job; a throw has it tried again */
export function jobWorker<Data>(
  client: RedisClient,
  { name, stalledMs, waits }: JobWorkerOptions,
  work: (job: Job<Data>) => Promise<void>,
): Worker<Data> {
  // BullMQ makes connections of its own to the same server: a worker blocks on one.
  const { host, port, username, password, db, tls } = ioredisOf(client).options;
  const worker = new Worker<Data>(name, work, {
    connection: { host, port, username, password, db, tls },
    prefix: JOB_PREFIX,
    concurrency: AT_ONCE,
    lockDuration: stalledMs,
    stalledInterval: stalledMs,
    maxStalledCount: MOST_STALLS,
  });
  // A failed connection is tried again by BullMQ; without a listener it would end the process.
  worker.on('error', sayFailure(waits));
  return worker;
}
