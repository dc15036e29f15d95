/** Reads the log of a state, and tells it from what was not made here. */
import type { Change } from './journal.js';

/** What one call or step has changed; the first line of a log is all of the state. */
export interface Line {
  /** How many ids have been given out. */
  readonly ids: number;
  readonly changes: readonly Change[];
}

/** How each line begins. */
const BEGINNING = '{"ids":';

/**
 * The lines of a log. A last line without its end was torn off and is left out; the first is never
 * torn, since a log is made beside its place, so a text without a whole line is none.
 *
 * @throws Error when the text is no log, or a line of it is damaged.
 */
export function readLog(text: string): Line[] {
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  const [first, ...others] = lines;
  // An empty file is nobody's, and has nothing to lose.
  if (first === undefined && torn === '') return [];
  if (first === undefined) throw new Error('it is not the state of a local Stripe');
  const read = [readLine(first), ...others.map((line, index) => lineAt(line, index + 2))];
  if (!torn.startsWith(BEGINNING.slice(0, torn.length))) throw new Error('its end was not written here');
  return read;
}

/** @throws Error when it is no line of a log. */
export function readLine(text: string): Line {
  const line = parsed(text) as Partial<Line> | null | undefined;
  const isLine =
    Number.isSafeInteger(line?.ids) && Array.isArray(line?.changes) && line.changes.every(isChange);
  if (!isLine) throw new Error('it is not the state of a local Stripe');
  return line as Line;
}

function lineAt(text: string, place: number): Line {
  try {
    return readLine(text);
  } catch (error) {
    throw new Error(`line ${place} is damaged`, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isChange(change: unknown): boolean {
  if (!Array.isArray(change) || change.length !== 3) return false;
  const [table, id, row] = change as [unknown, unknown, { id?: unknown } | null | undefined];
  return typeof table === 'string' && typeof id === 'string' && (row === null || row?.id === id);
}
