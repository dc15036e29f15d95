/**
 * The state in a file, so that it outlives the process. The file is a log: each call or step appends
 * one line with the rows that it changed, before its answer is given. A process that is killed leaves
 * at most a torn last line, which belongs to a call that was never answered, and is dropped. At
 * opening, and when personal data was redacted, the log is rewritten as one line, beside it first, and
 * then moved into its place.
 */
import { existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { takeLock } from '../../process-lock.js';
import type { Account } from './account.js';
import type { Change } from './journal.js';
import { openLog } from './log-file.js';
import { type Line, readLine, readLog } from './read-log.js';
import type { Row, Table } from './table.js';

export interface StateFile {
  /** @throws Error when the changes are not in the file; then nothing of them is. */
  append(changes: readonly Change[]): void;
  /** Rewrites the log as it is at opening: what was changed since is nowhere in it any more. */
  compact(): void;
  close(): void;
}

/**
 * Reads what a file holds into an account, and keeps it from then on. A file has one owner: two that
 * append to it would each rewrite away what the other has written.
 *
 * @throws Error naming the file when another one has it open, or when it is not a local Stripe's.
 */
export function openStateFile(path: string, account: Account): StateFile {
  // Two names of one file are one file, and a link stays a link.
  const real = existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
  const lock = `${real}.lock`;
  if (!takeLock(lock)) {
    throw new Error(`Cannot open ${real}: ${ownerOf(lock)} has it open; if that is not so, delete ${lock}`);
  }
  try {
    if (existsSync(real)) read(real, account);
    rewrite(real, `${takeSnapshot(account)}\n`);
    let log = openLog(real);
    let isOurs = true;
    return {
      append: (changes) => log.append(`${JSON.stringify({ ids: account.ids.count, changes })}\n`),
      compact: () => {
        rewrite(real, `${takeSnapshot(account)}\n`);
        log.close();
        log = openLog(real);
      },
      close: () => {
        log.close();
        if (isOurs) rmSync(lock, { force: true });
        isOurs = false;
      },
    };
  } catch (error) {
    rmSync(lock, { force: true });
    throw error;
  }
}

function ownerOf(lock: string): string {
  try {
    return `process ${(JSON.parse(readFileSync(lock, 'utf8')) as { pid: number }).pid}`;
  } catch {
    // It is just being written, or let go of.
    return 'another process';
  }
}

/** All of an account's state as one line of text. */
export function takeSnapshot(account: Account): string {
  const changes = tablesOf(account).flatMap((table) =>
    table.all().map((row): Change => [table.name, row.id, row]),
  );
  return JSON.stringify({ ids: account.ids.count, changes } satisfies Line);
}

/** @throws RangeError when it is no snapshot. */
export function loadSnapshot(account: Account, snapshot: string): void {
  try {
    load(account, readLine(snapshot));
  } catch (error) {
    throw new RangeError(`Cannot begin with the snapshot: ${(error as Error).message}`, { cause: error });
  }
}

function read(path: string, account: Account): void {
  try {
    for (const line of readLog(readFileSync(path, 'utf8'))) load(account, line);
  } catch (error) {
    throw new Error(`Cannot keep the state in ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Until it is whole, the new log stands beside the old one. */
function rewrite(path: string, text: string): void {
  const beside = `${path}.new`;
  try {
    writeFileSync(beside, text);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function load(account: Account, { ids, changes }: Line): void {
  const tables = new Map(tablesOf(account).map((table) => [table.name, table]));
  for (const [name, id, row] of changes) {
    const table = tables.get(name);
    // What is not understood must not be lost at the next rewriting.
    if (!table) throw new Error(`it holds rows of an unknown kind, '${name.slice(0, 40)}'`);
    table.load(id, row as Row | null);
  }
  account.ids.count = ids;
}

function tablesOf({ tables }: Account): Table<Row>[] {
  return Object.values(tables) as unknown as Table<Row>[];
}
