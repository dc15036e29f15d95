/** Writing a fallback file anew: without what was torn or sent, or because somebody removed it. */
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type File, readBytes } from './read-lines.js';
import type { Found } from './scan-fallback.js';
import { sendingMark } from './waiting-batches.js';

/**
 * Puts a file with the waiting batches and the events that could be saved in the old one's place.
 *
 * @param file the old one, still open, also where its name is gone; closed when this returns
 */
export async function rewriteFallback(
  path: string,
  file: File,
  { waiting, torn }: Pick<Found, 'waiting' | 'torn'>,
): Promise<File> {
  await mkdir(dirname(path), { recursive: true });
  const rewritten = await open(`${path}.repaired`, 'w+');
  try {
    for (const entry of waiting) {
      const { tried, parts } = entry;
      const alone = tried && parts.length === 1;
      for (const { header, start } of parts) {
        await rewritten.appendFile(`${JSON.stringify(alone ? { ...header, tried } : header)}\n`);
        await rewritten.appendFile(await readBytes(file, start, header.bytes));
      }
      // Only the first can be several that were sent as one.
      if (parts.length > 1) await rewritten.appendFile(sendingMark(entry));
    }
    for (const { saved } of torn) {
      if (saved) await rewritten.appendFile(`${JSON.stringify(saved.header)}\n${saved.rows}`);
    }
    await rewritten.datasync();
    await rename(`${path}.repaired`, path);
  } catch (error) {
    await rewritten.close();
    throw error;
  }
  await file.close();
  return rewritten;
}

/**
 * Whether an open file has lost its name.
 *
 * @throws Error when another file has it: two users would write over each other.
 */
export async function isRemoved(path: string, file: File): Promise<boolean> {
  const ours = await file.stat();
  const named = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (named && (named.ino !== ours.ino || named.dev !== ours.dev)) {
    throw new Error(`Cannot write ${path}: another file has taken its place`);
  }
  return named === undefined;
}
