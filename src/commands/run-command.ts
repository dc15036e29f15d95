/** What every command does: help on request, one sentence instead of a stack, and an exit code. */
import { basename } from 'node:path';

/**
 * @param help printed for `--help`
 * @param run gets the arguments and gives the exit code
 */
export async function runCommand(help: string, run: (args: string[]) => Promise<number>): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help.trimEnd());
    return;
  }
  try {
    process.exitCode = await run(args);
  } catch (error) {
    console.error(sentenceOf(error));
    process.exitCode = 2;
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ((error.cause as NodeJS.ErrnoException | undefined)?.code !== 'EADDRINUSE') return error.message;
  const name = basename(process.argv[1] ?? '', '.js');
  return `${error.message}; this takes a free one: npm run ${name} -- --port 0`;
}
