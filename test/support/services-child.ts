import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('services-child.mjs', import.meta.url));

/** A process that has services open. */
export interface ServicesChild {
  readonly pid: number;
  readonly path: string;
  readonly clickhouse: string;
  readonly redis: string;
  readonly redisPid: number;
  /** Openers of this folder so far, as its ClickHouse remembers them. */
  readonly seen: number;
  /** Has it close its services and end. */
  end(): Promise<number | null>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a process that opens a workspace's services, and waits until it has. */
export async function servicesChild(
  folder: string,
  name: string,
  { environment = {}, exit = false }: { environment?: Record<string, string>; exit?: boolean } = {},
): Promise<ServicesChild> {
  const args = [script, folder, name, JSON.stringify(environment), ...(exit ? ['exit'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), failureOf(child)])) as [
    string,
  ];
  return {
    pid: child.pid ?? 0,
    ...(JSON.parse(line) as Pick<ServicesChild, 'path' | 'clickhouse' | 'redis' | 'redisPid' | 'seen'>),
    async end() {
      child.stdin.end();
      return (await ended)[0];
    },
    async kill(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

async function failureOf(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the process ended before it opened its services, exit code ${code}`);
}

/** Commands of the living processes that name a path in their arguments, or have a process id. */
export function processesOf(path: string, pid = 0): string[] {
  return execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [])
    .filter(
      ([, id, state = '', args = '']) =>
        !state.startsWith('Z') && (args.includes(path) || Number(id) === pid),
    )
    .map(([, , , args = '']) => args);
}

/** The process group of a process: what a terminal and Jupyter send their interrupt to. */
export function groupOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }));
}
