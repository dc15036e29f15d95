/** Tells the events of a spoiled batch from lines that are none. */
import type { EncodedBatch } from './encode-batch.js';
import { isRow } from './event.js';

/**
 * @example separateRows(batch) // { good: the batch without bad lines, bad: ['["acme-corp",…'] }
 */
export function separateRows(batch: EncodedBatch): { good: EncodedBatch; bad: string[] } {
  const lines = batch.rows.split('\n').filter((line) => line !== '');
  const bad = lines.filter((line) => !isRow(line));
  const good = lines.filter((line) => isRow(line));
  return { good: { ...batch, count: good.length, rows: good.map((line) => `${line}\n`).join('') }, bad };
}
