/** The work's result; a failure is printed, and the work is done again in the next round. */
export async function saying<Result>(what: string, work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    console.error(`${what}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
