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
  const pieces: Buffer[] = [];
  const bad: string[] = [];
  for (const { header, start } of parts) {
    const bytes = await readBytes(file, start, header.bytes);
    if (crc32(bytes) === header.crc) {
      pieces.push(bytes);
      continue;
    }
    const found = separateRows(header, bytes.toString('utf8'));
    pieces.push(Buffer.from(rowsOf(found.good)));
    bad.push(...found.bad);
  }
  const rows = Buffer.concat(pieces);
  // Counted: a header may say something else than the lines, which have a checksum.
  let count = 0;
  for (let end = rows.indexOf('\n'); end !== -1; end = rows.indexOf('\n', end + 1)) count += 1;
  return { batch: { id, count, oldest: Math.min(...parts.map(({ header }) => header.oldest)), rows }, bad };
}
