/**
 * A workspace: one folder under `.data/` that holds what a notebook or a command leaves on the
 * disk, locked by the process that uses it. A second opener of the name gets a numbered folder
 * that goes when it closes; what a killed process left is swept when the name is opened again.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { uptime } from 'node:os';
import { join, resolve } from 'node:path';

export interface Workspace {
  /** Absolute path of the folder. */
  readonly path: string;
  /** Gives the lock back, and the folder if it is a numbered one. */
  close(): void;
}

export interface WorkspaceOptions {
  /** e.g. the notebook's name: small letters, digits and dashes. */
  readonly name: string;
  /** Empties the folder first, so that a notebook run twice gives the same figures. @default false */
  readonly reset?: boolean | undefined;
  /** The folder of all workspaces. @default '.data' */
  readonly dataDir?: string | undefined;
}

const LOCK = 'lock';

/**
 * @throws RangeError for a malformed name, Error when the folder cannot be written.
 * @example const workspace = openWorkspace({ name: 'm12-1', reset: true });
 */
export function openWorkspace({ name, reset = false, dataDir = '.data' }: WorkspaceOptions): Workspace {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(name)) {
    throw new RangeError(
      `Cannot open workspace: its name must be small letters, digits and dashes, current value is ${JSON.stringify(name)}`,
    );
  }
  const root = resolve(dataDir);
  mkdirSync(root, { recursive: true });
  sweep(root, name);
  for (let number = 1; ; number += 1) {
    const path = join(root, number === 1 ? name : `${name}.${number}`);
    if (tryLock(path)) return opened(path, { reset, numbered: number > 1 });
  }
}

/** Names of the folders under `dataDir` that no living process holds. */
export function idleWorkspaces(dataDir = '.data'): string[] {
  if (!existsSync(dataDir)) return [];
  return readdirSync(dataDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !isHeld(join(dataDir, entry.name, LOCK)))
    .map((entry) => entry.name);
}

function opened(path: string, { reset, numbered }: { reset: boolean; numbered: boolean }): Workspace {
  if (reset) {
    for (const entry of readdirSync(path)) {
      if (entry !== LOCK) rmSync(join(path, entry), { recursive: true, force: true });
    }
  }
  const close = () => {
    process.off('exit', close);
    if (numbered) remove(path);
    else rmSync(join(path, LOCK), { force: true });
  };
  // A process that ends without closing gives its lock back all the same.
  process.on('exit', close);
  return { path, close };
}

function sweep(root: string, name: string): void {
  const numbered = new RegExp(`^${name}\\.\\d+(?:\\.(\\d+))?$`);
  for (const entry of readdirSync(root)) {
    const [match, remover] = numbered.exec(entry) ?? [];
    const path = join(root, entry);
    if (remover && !isAlive(Number(remover))) rmSync(path, { recursive: true, force: true });
    if (match && !remover && tryLock(path)) remove(path);
  }
}

/** Renamed first: a folder that is half removed could be locked by the next opener. */
function remove(path: string): void {
  const going = `${path}.${process.pid}`;
  if (existsSync(path)) renameSync(path, going);
  rmSync(going, { recursive: true, force: true });
}

function tryLock(path: string): boolean {
  const lock = join(path, LOCK);
  try {
    mkdirSync(path, { recursive: true });
    if (createLock(lock)) return true;
  } catch (error) {
    // Its owner removed the folder at this moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
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
  return !wasLive && createLock(lock);
}

function createLock(lock: string): boolean {
  try {
    const file = openSync(lock, 'wx');
    writeSync(file, JSON.stringify({ pid: process.pid }));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A lock that is not written by then never will be: its writer was killed, or the disk is full. */
const WRITTEN_MS = 5_000;

/** Whether the process that wrote the lock lives. A lock from before the machine started is no one's. */
function isHeld(lock: string): boolean {
  let pid: unknown;
  let ageMs = 0;
  try {
    ageMs = Date.now() - statSync(lock).mtimeMs;
    if (ageMs > uptime() * 1_000) return false;
    ({ pid } = JSON.parse(readFileSync(lock, 'utf8')) as { pid?: unknown });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === undefined ? ageMs < WRITTEN_MS : code !== 'ENOENT';
  }
  return typeof pid === 'number' && isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
