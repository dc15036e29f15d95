/** Where lines of a fallback file go that are no events: for a person to look at. */
import { open } from 'node:fs/promises';

/** @example await quarantine('.data/fallback.jsonl.quarantine', 'no batch begins here', ['garbage']); */
export async function quarantine(path: string, reason: string, lines: readonly string[]): Promise<void> {
  const file = await open(path, 'a');
  try {
    await file.appendFile(lines.map((line) => `${JSON.stringify({ reason, line })}\n`).join(''));
    await file.datasync();
  } finally {
    await file.close();
  }
}
