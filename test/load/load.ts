/** A run under load: drives the server as planned, kills a worker and Redis on the way, and finds out what became of it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, LoadedRun } from './checks.js';
import { findOut } from './find-out.js';
import { type LoadOptions, type LoadPlan, planLoad } from './load-plan.js';
import { signUpMeanwhile, statesOf } from './sign-up-meanwhile.js';
import { type SignedUpTenant, signUpTenants } from './sign-up-tenants.js';
import { startSystem } from './system.js';
import { mostUnstored } from './unstored.js';
import { type Faults, withFaults } from './with-faults.js';

/** Requests in the order of their sending, and how long that took. */
export interface Phase {
  readonly answers: readonly Answer[];
  readonly seconds: number;
}

export interface LoadResult extends Pick<Faults, 'redis'> {
  readonly run: LoadedRun;
  /** The part with a rate. */
  readonly paced: Phase;
  /** The part without one. */
  readonly free: Phase;
}

export interface RunOptions extends LoadOptions {
  /** Length of the part without a rate. */
  readonly freeSeconds: number;
  /** Companies that sign up meanwhile. */
  readonly signups: number;
  readonly say?: (line: string) => void;
}

/** So many ask at once; one that waits for its answer asks nothing else. */
const CONNECTIONS = 50;

/** Offered beyond what must be held: a connection that waits while Redis is away does not catch up. */
const MORE = 1.1;

/** @example const { run } = await runLoad({ seed: 1, seconds: 60, rate: 200, tenants: 120, freeSeconds: 5, signups: 30 }); */
export async function runLoad(options: RunOptions): Promise<LoadResult> {
  const { say = () => undefined, seconds, rate, freeSeconds, signups: count } = options;
  const plan = planLoad(options);
  const system = await startSystem();
  try {
    say(`signing up ${plan.tenants.length} tenants`);
    const tenants = await signUpTenants(system, plan.tenants);
    const [server, first] = await Promise.all([system.startServer(), system.startWorker()]);
    // What their signup has Stripe tell is no part of the load.
    await system.settled();
    const drive = (phase: object) => driven({ url: server.url, tenants, requests: plan.requests, phase });
    say(`${seconds} s, ${rate} requests a second to be held`);
    const driving = drive({ duration: seconds, overallRate: Math.round(rate * MORE) });
    const [paced, faults, newcomers] = await Promise.all([
      driving,
      withFaults(system, plan, { worker: first, over: driving, say }),
      signUpMeanwhile(server.url, { count, seconds }),
    ]);
    say(`${freeSeconds} s as fast as it goes`);
    const free = await drive({ duration: freeSeconds });
    say('waiting for the signups');
    const signups = await statesOf(server.url, newcomers);
    // What it has accepted is stored when it has ended.
    await server.end();
    say('counting');
    const { worker, readings, redis } = faults;
    const answers = [...paced.answers, ...free.answers];
    const found = await findOut(system, { tenants, url: worker.url });
    await worker.end();
    const loaded = tenants.map(({ tenantId, plan: name, quota, earlier }) => {
      const unstored = mostUnstored(readings, { tenantId, answers, before: earlier.length });
      return { tenantId, plan: name, quota, earlier, unstored };
    });
    return { run: { tenants: loaded, answers, ...found, signups }, paced, free, redis };
  } finally {
    await system.close();
  }
}

interface DriveOptions {
  readonly url: string;
  readonly tenants: readonly SignedUpTenant[];
  readonly requests: LoadPlan['requests'];
  /** Options of autocannon. */
  readonly phase: object;
}

/** Sends queries from a process of its own. */
async function driven({ url, tenants, requests, phase }: DriveOptions): Promise<Phase> {
  const child = fork(fileURLToPath(new URL('drive.mjs', import.meta.url)));
  const keys = tenants.map(({ key }) => key);
  child.send({ url, requests, keys, options: { connections: CONNECTIONS, ...phase } });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the driver ended with ${code} and no answers`);
  });
  const [{ answers, seconds }] = (await Promise.race([once(child, 'message'), ended])) as [
    { answers: (Omit<Answer, 'tenantId'> & { key: number })[]; seconds: number },
  ];
  ended.catch(() => undefined);
  return {
    seconds,
    answers: answers.map(({ key, ...answer }) => ({ tenantId: tenants[key]?.tenantId ?? '', ...answer })),
  };
}
