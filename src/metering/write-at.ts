/** Writing to a disk that may be full: all of it, or nothing. */
import type { File } from './read-lines.js';

/**
 * Writes at a file's end, and syncs; what was half written is taken back.
 *
 * @returns the length that was written
 * @throws what the disk says
 */
export async function writeAt(file: File, end: number, bytes: Buffer, { sync = true } = {}): Promise<number> {
  try {
    // One write to a full disk may take a part and not complain.
    for (let written = 0; written < bytes.length; ) {
      const left = bytes.length - written;
      written += (await file.write(bytes, written, left, end + written)).bytesWritten;
    }
    if (sync) await file.datasync();
    return bytes.length;
  } catch (error) {
    await file.truncate(end).catch(() => undefined);
    throw error;
  }
}
