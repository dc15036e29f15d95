/** A waiting batch as it will be sent: read from the fallback file, and checked. */
import { crc32 } from 'node:zlib';
import type { EncodedBatch } from './encode-batch.js';
import { type File, readBytes } from './read-lines.js';
import { rowsOf, separateRows } from './separate-rows.js';
import type { Entry } from './waiting-batches.js';

/** Gives the batch, and the lines in it that are no events. */
export async function readBatch(
  file: File,
  { id, parts }: Entry,
): Promise<{ batch: EncodedBatch; bad: string[] }> {
  const pieces: string[] = [];
  const bad: string[] = [];
  for (const { header, start } of parts) {
    const bytes = await readBytes(file, start, header.bytes);
    const text = bytes.toString('utf8');
    const isWhole = crc32(bytes) === header.crc;
    const found = isWhole ? { good: [], bad: [] } : separateRows(header, text);
    pieces.push(isWhole ? text : rowsOf(found.good));
    bad.push(...found.bad);
  }
  const rows = pieces.join('');
  // Counted: a header may say something else than the lines, which have a checksum.
  const count = rows.split('\n').length - 1;
  return { batch: { id, count, oldest: Math.min(...parts.map(({ header }) => header.oldest)), rows }, bad };
}
