// One set-up at a time: two that install into the same folders would break each other. The second waits.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const LOOK_AGAIN_MS = 300;
/** A lock without an owner's name in it is being taken; one that stays so was left by a killed process. */
const TORN_AFTER_MS = 5_000;

/**
 * @template T
 * @param {string} file that stands for the lock; it holds the owner's process id
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
export async function withLock(file, run) {
  mkdirSync(dirname(file), { recursive: true });
  let said = false;
  while (!take(file)) {
    const owner = ownerOf(file);
    if (owner === undefined ? isTorn(file) : !isAlive(owner)) {
      discard(file, owner);
      continue;
    }
    // Not to stdout: that of `npm run check -- --json` is read by programs.
    if (!said) console.error(`… Waiting for another set-up, process ${owner ?? '(just ending)'}`);
    said = true;
    await wait(LOOK_AGAIN_MS);
  }
  try {
    return await run();
  } finally {
    rmSync(file);
  }
}

function take(file) {
  try {
    writeFileSync(file, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The owner's process id; undefined while the lock is being taken or given back. */
function ownerOf(file) {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isTorn(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > TORN_AFTER_MS;
}

/** @param {number} pid @returns {boolean} */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// Renamed before it is looked at again, so that of two waiters one alone removes it, and a lock that was
// taken in the meantime goes back.
function discard(file, owner) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (ownerOf(aside) === owner) rmSync(aside);
  else renameSync(aside, file);
}
