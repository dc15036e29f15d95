/** The kills of a plan, while something else goes on: of a worker, and of Redis, each of which comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { countsOf } from './find-out.js';
import type { LoadPlan } from './load-plan.js';
import type { LoadedSystem } from './system.js';
import type { Reading } from './unstored.js';

export interface Faults {
  /** The one that was started in the place of the killed one. */
  readonly worker: Awaited<ReturnType<LoadedSystem['startWorker']>>;
  /** What ClickHouse had, from Redis's end on until all counters had begun anew. */
  readonly readings: readonly Reading[];
  /** When Redis was killed, and when it answered again, in ms since 1970. */
  readonly redis: { readonly killed: number; readonly back: number };
}

export interface FaultOptions {
  readonly worker: Faults['worker'];
  /** Ends the readings early. */
  readonly over: Promise<unknown>;
  readonly say: (line: string) => void;
}

/**
 * The twin that serves while Redis is away has its tenants begin anew at its return, each with its next request.
 * Who asks nothing for so long after has nothing that is not stored.
 */
const BEGUN_ANEW_MS = 5_000;

/** Between two readings. */
const READ_MS = 50;

/** The moments of the plan count from now. */
export async function withFaults(
  system: LoadedSystem,
  plan: LoadPlan,
  options: FaultOptions,
): Promise<Faults> {
  const begun = performance.now();
  const at = (moment: number) => sleep(Math.max(0, begun + moment - performance.now()));
  const worker = await replaceWorker(system, plan, { ...options, at });
  // Later: a server that finds no Redis when it starts goes on without signups and keys for good.
  return { worker, ...(await restartRedis(system, plan, { ...options, at })) };
}

type Timed = FaultOptions & { readonly at: (moment: number) => Promise<void> };

async function replaceWorker(system: LoadedSystem, plan: LoadPlan, { worker, say, at }: Timed) {
  await at(plan.workerKilled);
  await worker.kill();
  say('a worker was killed');
  await at(plan.workerBack);
  const next = await system.startWorker();
  say('another worker is there');
  return next;
}

async function restartRedis(system: LoadedSystem, plan: LoadPlan, { over, say, at }: Timed) {
  await at(plan.redisKilled);
  const readings = [await reading(system)];
  const killed = Date.now();
  await system.killRedis();
  say('Redis was killed');
  let back = Number.POSITIVE_INFINITY;
  const restarted = sleep(plan.redisAwayMs).then(async () => {
    await system.restartRedis();
    back = Date.now();
    say(`Redis is back after ${((back - killed) / 1_000).toFixed(1)} s`);
  });
  let isOver = false;
  over.finally(() => {
    isOver = true;
  });
  while (!isOver && Date.now() < back + BEGUN_ANEW_MS) {
    readings.push(await reading(system));
    await sleep(READ_MS);
  }
  await restarted;
  return { readings, redis: { killed, back } };
}

async function reading({ clickhouse }: LoadedSystem): Promise<Reading> {
  const stored = await countsOf(clickhouse, 'usage_daily');
  return { stored, ended: Date.now() };
}
