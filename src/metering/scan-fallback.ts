/** Reading a fallback file that a killed process, a full disk or an editor may have left in pieces. */
import { type open, open as openFile, rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { separateRows } from './separate-rows.js';

export type File = Awaited<ReturnType<typeof open>>;

/** The line before a batch's events. */
export interface Header {
  readonly batch: string;
  readonly events: number;
  /** Length of the events' lines. */
  readonly bytes: number;
  /** CRC-32 of the events' lines: tells what was changed since. */
  readonly crc: number;
  readonly oldest: number;
}

/** A batch that waits, and where its events begin. */
export interface Entry {
  readonly header: Header;
  readonly start: number;
}

/** A piece that is no whole batch: lines to put aside, and events that can be saved, with their header. */
export interface Torn {
  readonly reason: string;
  readonly lines: readonly string[];
  readonly saved?: { readonly header: Header; readonly rows: string };
}

export interface Found {
  readonly waiting: Entry[];
  /** Where the next batch goes. */
  readonly end: number;
  readonly torn: Torn[];
}

/** Longest header or mark. */
const ENTRY_BYTES = 512;

/** Read at once: hundreds of small batches cost one call, and of large ones each costs one. */
const WINDOW_BYTES = 16_384;

/** Reads headers and marks alone, whatever the size of the file. */
export async function scanFallback(file: File): Promise<Found> {
  const { size } = await file.stat();
  const peek = windowOn(file, size);
  const waiting = new Map<string, Entry>();
  const torn: Torn[] = [];
  let at = 0;
  while (at < size) {
    const [line = ''] = (await peek(at, ENTRY_BYTES)).toString('utf8').split('\n');
    const start = at + Buffer.byteLength(line) + 1;
    const entry = parseEntry(line);
    if (entry && 'sent' in entry) {
      waiting.delete(entry.sent);
      at = start;
    } else if (entry && start + entry.bytes <= size && (await endsALine(peek, start + entry.bytes))) {
      waiting.set(entry.batch, { header: entry, start });
      at = start + entry.bytes;
    } else {
      const end = await nextEntry(file, at + 1, size);
      const text = (await readBytes(file, at, end - at)).toString('utf8');
      torn.push(entry ? cutShort(entry, text) : { reason: 'no batch begins here', lines: linesOf(text) });
      at = end;
    }
  }
  return { waiting: [...waiting.values()], end: size, torn };
}

/** Writes the file anew with its whole batches and the events that could be saved. */
export async function repairFallback(path: string, file: File, { waiting, torn }: Found): Promise<File> {
  const repaired = await openFile(`${path}.repaired`, 'w+');
  try {
    for (const { header, start } of waiting) {
      await repaired.appendFile(`${JSON.stringify(header)}\n`);
      await repaired.appendFile(await readBytes(file, start, header.bytes));
    }
    for (const { saved } of torn) {
      if (saved) await repaired.appendFile(`${JSON.stringify(saved.header)}\n${saved.rows}`);
    }
    await repaired.datasync();
    await rename(`${path}.repaired`, path);
  } catch (error) {
    await repaired.close();
    throw error;
  }
  await file.close();
  return repaired;
}

type Peek = (at: number, length: number) => Promise<Buffer>;

function windowOn(file: File, size: number): Peek {
  let start = 0;
  let bytes: Buffer = Buffer.alloc(0);
  return async (at, length) => {
    const end = Math.min(at + length, size);
    if (at < start || end > start + bytes.length) {
      bytes = await readBytes(file, at, Math.min(WINDOW_BYTES, size - at));
      start = at;
    }
    return bytes.subarray(at - start, end - start);
  };
}

const endsALine = async (peek: Peek, end: number) => (await peek(end - 1, 1)).toString() === '\n';

/** Writes all of it, or throws: one write to a full disk may take a part and not complain. */
export async function writeBytes(file: File, bytes: Buffer, start: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, start + written)).bytesWritten;
  }
}

export async function readBytes(file: File, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, start);
  return buffer.subarray(0, bytesRead);
}

function parseEntry(line: string): Header | { readonly sent: string } | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null) return undefined;
    if ('sent' in entry && typeof entry.sent === 'string') return { sent: entry.sent };
    const header = entry as Header;
    const isHeader =
      typeof header.batch === 'string' &&
      [header.events, header.bytes, header.crc, header.oldest].every(
        (value) => Number.isSafeInteger(value) && value >= 0,
      );
    return isHeader ? header : undefined;
  } catch {
    return undefined;
  }
}

/** Of a batch that ends too early the whole lines are events. */
function cutShort(header: Header, text: string): Torn {
  const rows = linesOf(text).slice(1).join('\n');
  const { good, bad } = separateRows({ id: header.batch, count: header.events, oldest: header.oldest, rows });
  const reason = `batch ${header.batch} is cut short: ${good.count} of ${header.events} events are whole`;
  const torn = { reason, lines: bad };
  if (good.count === 0) return torn;
  const bytes = Buffer.byteLength(good.rows);
  const saved = { ...header, events: good.count, bytes, crc: crc32(good.rows) };
  return { ...torn, saved: { header: saved, rows: good.rows } };
}

/** Where the next header or mark begins, or the end of the file. */
async function nextEntry(file: File, from: number, size: number): Promise<number> {
  const rest = await readBytes(file, from, size - from);
  const places = ['\n{"batch":"', '\n{"sent":"'].map((start) => rest.indexOf(start)).filter((at) => at >= 0);
  return places.length > 0 ? from + Math.min(...places) + 1 : size;
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');
