/**
 * A lock file that names the process which holds it: a folder or a file with one user at a time. A
 * process is known by its number and its start, since a container that was killed begins again with
 * the same numbers.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { uptime } from 'node:os';

/** What stands in a lock. */
interface Owner {
  readonly pid: number;
  readonly started: string;
}

/** Where the system does not tell the start, a number of our own at least tells us from a namesake. */
const ME: Owner = { pid: process.pid, started: startOf(process.pid) ?? randomUUID() };

/**
 * Takes a lock, also that of a process which is gone; false when a living one holds it.
 *
 * @throws what the disk says, e.g. ENOENT for a folder that is not there.
 * @example if (takeLock('.data/serve/lock')) try { … } finally { rmSync('.data/serve/lock') }
 */
export function takeLock(lock: string): boolean {
  if (create(lock)) return true;
  if (isHeld(lock)) return false;
  // Taking a dead process's lock: the rename succeeds for one of several takers only.
  const taken = `${lock}.${process.pid}`;
  try {
    renameSync(lock, taken);
  } catch {
    return false;
  }
  const wasLive = isHeld(taken);
  if (wasLive) renameSync(taken, lock);
  else rmSync(taken);
  return !wasLive && create(lock);
}

/** A lock that is not written by then never will be: its writer was killed, or the disk is full. */
const WRITTEN_MS = 5_000;

/** Whether the process that wrote the lock lives. A lock from before the machine started is no one's. */
export function isHeld(lock: string): boolean {
  let owner: Partial<Owner> | null;
  let ageMs = 0;
  try {
    ageMs = Date.now() - statSync(lock).mtimeMs;
    if (ageMs > uptime() * 1_000) return false;
    owner = JSON.parse(readFileSync(lock, 'utf8')) as Partial<Owner>;
    const { pid, started } = owner;
    return typeof pid === 'number' && isAlive(pid) && (started === undefined || isSame(pid, started));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === undefined ? ageMs < WRITTEN_MS : code !== 'ENOENT';
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isSame(pid: number, started: string): boolean {
  return pid === ME.pid ? started === ME.started : started === (startOf(pid) ?? started);
}

/** Boot and clock tick of a process's start, on Linux. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the name, which is in parentheses and may hold anything, it is the 20th field.
    const tick = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${tick}`;
  } catch {
    return undefined;
  }
}

function create(lock: string): boolean {
  try {
    const file = openSync(lock, 'wx');
    try {
      writeSync(file, JSON.stringify(ME));
    } catch {
      // A full disk: an empty lock holds for some seconds, and what it guards can still be read.
    }
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
