import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a program ended and all that it printed, stdout and stderr together in the order of their coming. */
export interface ProgramResult {
  readonly code: number | null;
  readonly printed: string;
}

/** Below the time-out of a test, which would say nothing of the program. */
const LONGEST_MS = 50_000;

/**
 * Runs a Node program to its end. `env` is added to the environment.
 *
 * @throws Error when it does not end, with what it printed and what runs below it.
 */
export async function runNodeProgram(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ProgramResult> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  let hung = '';
  const timer = setTimeout(() => {
    const processes = execFileSync('ps', ['-A', '-o', 'pid,ppid,etime,stat,wchan,args'], {
      encoding: 'utf8',
    });
    const isKernels = (line: string) => /\[[^[]*\]$/.test(line);
    hung = processes
      .split('\n')
      .filter((line) => !isKernels(line))
      .join('\n');
    child.kill('SIGKILL');
    // What runs below it may hold the streams open.
    child.stdout.destroy();
    child.stderr.destroy();
  }, LONGEST_MS);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  if (hung) throw new Error(`${args[0]} has not ended; it printed:\n${printed}\nProcesses:\n${hung}`);
  return { code, printed };
}
