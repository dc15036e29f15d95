/** What every command does: help on request, one sentence instead of a stack, and an exit code. */

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
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  }
}
