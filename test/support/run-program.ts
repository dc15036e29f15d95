import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a program ended and all that it printed, stdout and stderr together in the order of their coming. */
export interface ProgramResult {
  readonly code: number | null;
  readonly printed: string;
}

/** Runs a Node program to its end. `env` is added to the environment. */
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
  const [code] = await once(child, 'close');
  return { code, printed };
}
