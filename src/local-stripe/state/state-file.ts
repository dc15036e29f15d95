/**
 * The state in a file, so that it outlives the process. The file is a log: each call or step appends
 * one line with the rows that it changed, before its answer is given. A process that is killed leaves
 * at most a torn last line, which belongs to a call that was never answered, and is dropped. At
 * opening the log is rewritten as one line, beside it first, and then moved into its place.
 */
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { Account } from './account.js';
import type { Change } from './journal.js';
import type { Row, Table } from './table.js';

interface Line {
  /** How many ids have been given out. */
  readonly ids: number;
  readonly changes: readonly Change[];
}

export interface StateFile {
  append(changes: readonly Change[]): void;
  close(): void;
}

/** Reads what a file holds into an account, and keeps it from then on. */
export function openStateFile(path: string, account: Account): StateFile {
  if (existsSync(path)) for (const line of linesOf(readFileSync(path, 'utf8'))) load(account, line);
  const beside = `${path}.new`;
  writeFileSync(beside, `${takeSnapshot(account)}\n`);
  renameSync(beside, path);
  const file = openSync(path, 'a');
  return {
    append: (changes) => void writeSync(file, `${JSON.stringify({ ids: account.ids.count, changes })}\n`),
    close: () => closeSync(file),
  };
}

/** All of an account's state as one line of text. */
export function takeSnapshot(account: Account): string {
  const changes = tablesOf(account).flatMap((table) =>
    table.all().map((row): Change => [table.name, row.id, row]),
  );
  return JSON.stringify({ ids: account.ids.count, changes } satisfies Line);
}

/** @throws SyntaxError when it is no snapshot. */
export function loadSnapshot(account: Account, snapshot: string): void {
  load(account, JSON.parse(snapshot) as Line);
}

function load(account: Account, { ids, changes }: Line): void {
  const tables = new Map(tablesOf(account).map((table) => [table.name, table]));
  for (const [name, id, row] of changes) tables.get(name)?.load(id, row as Row | null);
  account.ids.count = ids;
}

function linesOf(text: string): Line[] {
  const end = text.lastIndexOf('\n') + 1;
  return text
    .slice(0, end)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

function tablesOf({ tables }: Account): Table<Row>[] {
  return Object.values(tables) as unknown as Table<Row>[];
}
