/** Work that is done again and again, in this process: a schedule in Redis would be gone with a wipe. */

/**
 * Now, and again so long after the end of each round.
 *
 * @param work must not throw: a round that failed is told of, and the next one comes
 * @returns `close()` lets a running round end
 * @example const rounds = inRounds(HOUR_MS, () => dunning.checkAll());
 */
export function inRounds(everyMs: number, work: () => Promise<unknown>): { close(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const round = async (): Promise<void> => {
    await work();
    if (isClosed) return;
    timer = setTimeout(() => {
      running = round();
    }, everyMs);
  };
  let running = round();
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
