/** Tells the events of a spoiled batch from lines that are none. */
import { crc32 } from 'node:zlib';
import { isRow } from './event.js';

/**
 * A bad line, or fewer lines than there were, explains why a batch is not as it was written: the other
 * lines are its events. Without one some line was changed and is an event still; nobody can tell which,
 * and none is believed.
 *
 * @param batch how many events it had, and the CRC-32 of their lines
 * @example separateRows({ events: 2, crc }, text) // { good: ['["acme-corp",…'], bad: ['["acme-co'] }
 */
export function separateRows(
  { events, crc }: { events: number; crc: number },
  text: string,
): { good: string[]; bad: string[] } {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
  const good = lines.filter(isRow);
  const bad = lines.filter((line) => !isRow(line));
  const explained = bad.length > 0 || good.length < events || crc32(rowsOf(good)) === crc;
  return explained ? { good, bad } : { good: [], bad: lines };
}

/** Lines as they are written and sent. */
export const rowsOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
