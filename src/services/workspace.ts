/**
 * A workspace: one folder under `.data/` that holds what a notebook or a command leaves on the
 * disk, locked by the process that uses it. A second opener of the name gets a numbered folder
 * that goes when it closes; what a killed process left is swept when the name is opened again. A
 * folder with events that were not sent stays, and the next opener of the name is told of it.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isAlive, isHeld, takeLock } from '../process-lock.js';

export interface Workspace {
  /** Absolute path of the folder. */
  readonly path: string;
  /** Fallback files of numbered folders that nobody uses, with events that were not sent. */
  readonly unsent: readonly string[];
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

/** In a workspace, the file of events that ClickHouse does not have yet. */
export const FALLBACK_FILE = 'fallback.jsonl';

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
  const unsent = sweep(root, name);
  for (let number = 1; ; number += 1) {
    const path = join(root, number === 1 ? name : `${name}.${number}`);
    if (!tryLock(path)) continue;
    const left = unsent.filter((file) => dirname(file) !== path);
    return opened(path, { reset, unsent: left, numbered: number > 1 });
  }
}

/** Names of the folders under `dataDir`: those that no living process holds, and the others. */
export function listWorkspaces(dataDir = '.data'): { idle: string[]; busy: string[] } {
  const entries = existsSync(dataDir) ? readdirSync(dataDir, { withFileTypes: true }) : [];
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const isBusy = (name: string) => isHeld(join(dataDir, name, LOCK));
  return { idle: names.filter((name) => !isBusy(name)), busy: names.filter(isBusy) };
}

function opened(
  path: string,
  { reset, unsent, numbered }: { reset: boolean; unsent: readonly string[]; numbered: boolean },
): Workspace {
  if (reset) {
    for (const entry of readdirSync(path)) {
      if (entry !== LOCK) rmSync(join(path, entry), { recursive: true, force: true });
    }
  }
  const close = () => {
    process.off('exit', close);
    if (numbered && !hasUnsent(path)) remove(path);
    else rmSync(join(path, LOCK), { force: true });
  };
  // A process that ends without closing gives its lock back all the same.
  process.on('exit', close);
  return { path, unsent, close };
}

/** Removes what is left under a name; gives the fallback files of what must stay. */
function sweep(root: string, name: string): string[] {
  const numbered = new RegExp(`^${name}\\.\\d+(?:\\.(\\d+))?$`);
  const unsent: string[] = [];
  for (const entry of readdirSync(root)) {
    const [match, remover] = numbered.exec(entry) ?? [];
    const path = join(root, entry);
    if (remover && !isAlive(Number(remover))) rmSync(path, { recursive: true, force: true });
    if (!match || remover || !tryLock(path)) continue;
    if (hasUnsent(path)) {
      unsent.push(join(path, FALLBACK_FILE));
      rmSync(join(path, LOCK), { force: true });
    } else remove(path);
  }
  return unsent;
}

/** Whether it has events that wait to be sent. */
function hasUnsent(path: string): boolean {
  const file = statSync(join(path, FALLBACK_FILE), { throwIfNoEntry: false });
  return file?.isFile() === true && file.size > 0;
}

/** Renamed first: a folder that is half removed could be locked by the next opener. */
function remove(path: string): void {
  const going = `${path}.${process.pid}`;
  if (existsSync(path)) renameSync(path, going);
  rmSync(going, { recursive: true, force: true });
}

function tryLock(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true });
    return takeLock(join(path, LOCK));
  } catch (error) {
    // Its owner removed the folder at this moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
