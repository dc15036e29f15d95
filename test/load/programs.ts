/** Programs of their own process, that can be killed: the commands of the kit, and a Redis with its file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findRedisServer } from '../../src/services/private-redis.js';

export interface Program {
  /** What it said when it was ready. */
  readonly ready: RegExpExecArray;
  kill(): Promise<void>;
  /** Asks it to end. @throws Error when it ends with another code than 0 */
  end(): Promise<void>;
}

interface ProgramOptions {
  /** A line that it prints when it is ready. */
  readonly ready: RegExp;
  /** Where it runs and keeps its data. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program, and waits until it is ready. */
export async function startProgram(
  command: readonly string[],
  { ready, cwd, env }: ProgramOptions,
): Promise<Program> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit') as Promise<[number | null]>;
  ended.then(() => process.off('exit', kill));
  const over = ended.then(([code]) => Promise.reject(new Error(`${command.join(' ')} ended with ${code}`)));
  over.catch(() => undefined);
  return {
    ready: await Promise.race([lineOf(child, ready), over]),
    async kill() {
      kill();
      await ended;
    },
    async end() {
      child.kill('SIGTERM');
      const [code] = await ended;
      if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`);
    },
  };
}

/** The first line of a kind; the lines are read to the end, or a full pipe would stop the program. */
function lineOf(child: ChildProcess, wanted: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve) => {
    createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => {
      const found = wanted.exec(line);
      if (found) resolve(found);
    });
  });
}

/** A command of the built library, e.g. `serve`. */
export function startCommand(
  name: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Program> {
  const file = fileURLToPath(new URL(`../../.build/commands/${name}.js`, import.meta.url));
  return startProgram([process.execPath, file, ...args], options);
}

/** Started again on the same port and folder, it has what it had. */
export function startRedis(port: number, cwd: string): Promise<Program> {
  const binary = findRedisServer(process.env.PATH ?? '');
  if (!binary) throw new Error('the load needs redis-server on the PATH');
  const settings = { bind: '127.0.0.1', port, appendonly: 'yes', save: '', 'maxmemory-policy': 'noeviction' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return startProgram([binary, ...args], { ready: /Ready to accept connections/, cwd });
}
