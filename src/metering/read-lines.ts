/** Reading a file of any size by lines, in pieces and from any place. */
import type { open } from 'node:fs/promises';

export type File = Awaited<ReturnType<typeof open>>;

export interface Line {
  /** Without its end; of a line too long to be one of ours only how it begins. */
  readonly text: string;
  /** Where the next line begins. */
  readonly end: number;
}

/** Read at once: hundreds of small batches cost one call, and of large ones each costs one. */
const WINDOW_BYTES = 65_536;

/** Read at once in a line that does not end. */
const LONG_WINDOW_BYTES = 4 * 1_024 * 1_024;

/** Longer than any line that is written here. */
const LONGEST_LINE = 8_192;

/** @example const { text, end } = await readLines(file, size).line(0); */
export function readLines(file: File, size: number) {
  let start = 0;
  let bytes: Buffer = Buffer.alloc(0);
  /** What is read from a place on, at least one byte. */
  const from = async (at: number, most = WINDOW_BYTES): Promise<Buffer> => {
    if (at < start || at >= start + bytes.length) {
      bytes = await readBytes(file, at, Math.min(most, size - at));
      start = at;
      if (bytes.length === 0) throw new Error('the file became shorter while it was read');
    }
    return bytes.subarray(at - start);
  };
  return {
    async line(begin: number): Promise<Line> {
      const pieces: Buffer[] = [];
      for (let at = begin; at < size; ) {
        const piece = await from(at, at === begin ? WINDOW_BYTES : LONG_WINDOW_BYTES);
        const newline = piece.indexOf('\n');
        const part = newline === -1 ? piece : piece.subarray(0, newline);
        if (at - begin < LONGEST_LINE) pieces.push(Buffer.from(part));
        at += part.length;
        if (newline !== -1 || at >= size) {
          return { text: textOf(pieces, at - begin), end: newline === -1 ? at : at + 1 };
        }
      }
      return { text: '', end: size };
    },
    /** Whether a line ends right before a place. */
    async endsAt(end: number): Promise<boolean> {
      return end <= size && (await from(end - 1))[0] === 0x0a;
    },
  };
}

function textOf(pieces: readonly Buffer[], length: number): string {
  const bytes = Buffer.concat(pieces);
  if (length <= LONGEST_LINE) return bytes.toString('utf8');
  return `${bytes.subarray(0, 1_000).toString('utf8')}… (${length} bytes)`;
}

export async function readBytes(file: File, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, start);
  return buffer.subarray(0, bytesRead);
}
