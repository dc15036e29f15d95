/** Appends lines to a file, each as a whole or not at all. */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';

export interface LogFile {
  /** @throws Error when the line is not in the file; then no part of it stays there. */
  append(line: string): void;
  close(): void;
}

/**
 * A disk that is full takes a part of a line, says how much, and refuses the rest. The part is cut off
 * again; should that fail too, it is tried before the next line, which must not stand behind it.
 */
export function openLog(path: string): LogFile {
  const file = openSync(path, 'a');
  let whole = fstatSync(file).size;
  let isTorn = false;
  let isOpen = true;
  const cut = () => {
    ftruncateSync(file, whole);
    isTorn = false;
  };
  return {
    append: (line) => {
      if (!isOpen) throw new Error(`Cannot keep a change in ${path}: it was closed`);
      if (isTorn) cut();
      const bytes = Buffer.from(line);
      try {
        writeAll(file, bytes);
      } catch (error) {
        isTorn = true;
        try {
          cut();
        } catch {
          // What caused it is told; it is tried again before the next line.
        }
        throw new Error(`Cannot keep a change in ${path}: ${(error as Error).message}`, { cause: error });
      }
      whole += bytes.length;
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      closeSync(file);
    },
  };
}

function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}
