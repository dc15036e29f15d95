/** One owner for a file: two that append to it would each rewrite away what the other has written. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Locks of this process. Its id in another lock is that of a dead process that had the same one. */
const held = new Set<string>();

/**
 * Makes `<path>.lock`, which names this process, and gives the way to let go of it. The lock of a
 * process that is gone is taken over.
 *
 * @throws Error naming the file and the process that has it open.
 */
export function lockFile(path: string): () => void {
  const lock = `${path}.lock`;
  while (!make(lock)) {
    const owner = ownerOf(lock);
    if (owner === undefined) continue;
    if (held.has(lock) || isAlive(owner)) {
      throw new Error(`Cannot open ${path}: process ${owner} has it open; if that is not so, delete ${lock}`);
    }
    takeAway(lock, owner);
  }
  held.add(lock);
  let isOurs = true;
  return () => {
    if (!isOurs) return;
    isOurs = false;
    held.delete(lock);
    rmSync(lock, { force: true });
  };
}

/** Whether there was no lock. */
function make(lock: string): boolean {
  try {
    writeFileSync(lock, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** What the lock says, or nothing when it has just been let go. */
function ownerOf(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Of several that find a dead owner one takes its lock away; one that came too late gives it back. */
function takeAway(lock: string, owner: string): void {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (ownerOf(aside) === owner) rmSync(aside, { force: true });
  else renameSync(aside, lock);
}

/** A lock without a number is just being made, or was not made here: it is left alone. */
function isAlive(owner: string): boolean {
  if (!/^[1-9]\d*$/.test(owner)) return true;
  if (Number(owner) === process.pid) return false;
  try {
    process.kill(Number(owner), 0);
    return true;
  } catch (error) {
    // A process of another user answers EPERM.
    return codeOf(error) !== 'ESRCH';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
