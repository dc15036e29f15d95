/** Telling of what failed and is not thrown, since it is done again later or something else takes its place. */

/** What an error says, or whatever else was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Prints a failure on one line.
 *
 * @example await lifecycle.moveLog().catch(sayFailure('The log waits')); // The log waits: Connection is closed.
 */
export const sayFailure =
  (what: string) =>
  (error: unknown): undefined => {
    console.error(`${what}: ${messageOf(error)}`);
  };
