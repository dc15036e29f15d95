/** Reads the log of a state, and tells it from what was not made here. */
import { z } from 'zod';
import type { Row } from './table.js';

const change = z
  .tuple([z.string(), z.string(), z.unknown()])
  .readonly()
  .refine(([, id, row]) => row === null || (row as Partial<Row> | undefined)?.id === id);
const lineOfLog = z.object({
  /** How many ids have been given out. */
  ids: z.int(),
  changes: z.array(change).readonly(),
});

/** What one call or step has changed; the first line of a log is all of the state. */
export type Line = z.output<typeof lineOfLog>;

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
  try {
    return lineOfLog.parse(JSON.parse(text));
  } catch (error) {
    throw new Error('it is not the state of a local Stripe', { cause: error });
  }
}

function lineAt(text: string, place: number): Line {
  try {
    return readLine(text);
  } catch (error) {
    throw new Error(`line ${place} is damaged`, { cause: error });
  }
}
