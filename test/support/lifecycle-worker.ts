import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { PrivateRedis } from '../../src/services/private-redis.js';

const SCRIPT = fileURLToPath(new URL('lifecycle-worker.mjs', import.meta.url));

/** A process with a lifecycle of its own. */
export interface LifecycleWorker {
  readonly child: ChildProcess;
  go(): void;
  /** What it prints next. */
  line(): Promise<string>;
  ended(): Promise<unknown>;
}

/**
 * Starts a process that waits for `go()`; see lifecycle-worker.mjs for what it then does.
 *
 * @example const worker = await lifecycleWorker({ redis, url: front.url }, { move: true });
 */
export async function lifecycleWorker(
  { redis, url }: { redis: PrivateRedis; url: string },
  task: object,
): Promise<LifecycleWorker> {
  const { port, password } = redis.client.options;
  const given = JSON.stringify({ port, password, clickhouseUrl: url, ...task });
  const child = spawn(process.execPath, [SCRIPT, given], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value as string;
  if ((await line()) !== 'ready') throw new Error('the process ended before it was ready');
  return { child, go: () => void child.stdin.write('go\n'), line, ended: () => exited };
}
