import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EventInput } from '../../src/metering/event-input.js';
import type { TrackerStats, UsageTrackerOptions } from '../../src/metering/tracker-options.js';
import { NOW } from './events.js';

const STDIO: SpawnOptions = { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] };
const script = fileURLToPath(new URL('tracking-child.mjs', import.meta.url));

export interface TrackingChildOptions extends Omit<UsageTrackerOptions, 'now' | 'priceTables'> {
  /** ClickHouse's address; off without it. */
  readonly url?: string;
  /** @default 500 */
  readonly timeoutMs?: number;
  /** Largest file that it may write, in KiB: the disk is full past it. */
  readonly fileSizeKb?: number;
}

export interface Answer {
  /** What `durable()`, `flush()` or `close()` threw. */
  readonly problem?: string;
  readonly stats: TrackerStats;
}

/** A process with a tracker, write-ahead unless told otherwise. */
export interface TrackingChild {
  readonly pid: number;
  /** Tracks events and waits for `durable()`; undefined when it was killed meanwhile. */
  track(events: readonly EventInput[]): Promise<Answer | undefined>;
  flush(): Promise<Answer | undefined>;
  close(): Promise<Answer | undefined>;
  kill(): Promise<void>;
}

/** @example const child = await trackingChild({ url: front.url, fallbackFile }); */
export async function trackingChild({
  fileSizeKb,
  ...options
}: TrackingChildOptions): Promise<TrackingChild> {
  const args = [script, JSON.stringify({ ...options, now: NOW.getTime() })];
  const child = fileSizeKb
    ? spawn('bash', ['-c', `ulimit -S -f ${fileSizeKb}; exec "$0" "$@"`, process.execPath, ...args], STDIO)
    : spawn(process.execPath, args, STDIO);
  const waiting = new Map<number, (answer: Answer | undefined) => void>();
  const ended = once(child, 'exit').then(() => {
    for (const resolve of waiting.values()) resolve(undefined);
  });
  child.on('message', (message: Answer & { id: number }) => {
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  let id = 0;
  const ask = (task: string, rest: object = {}) =>
    new Promise<Answer | undefined>((resolve) => {
      id += 1;
      waiting.set(id, resolve);
      if (child.connected) child.send({ id, task, ...rest }, () => undefined);
      else resolve(undefined);
    });
  await Promise.race([once(child, 'message'), failureOf(child)]);
  return {
    pid: child.pid ?? 0,
    track: (events) =>
      ask('track', {
        events: events.map((event) => ({ ...event, timestamp: Number(event.timestamp ?? NOW) })),
      }),
    flush: () => ask('flush'),
    async close() {
      const answer = await ask('close');
      await ended;
      return answer;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function failureOf(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the process ended before it had its tracker, exit code ${code}`);
}
