/** What a fallback file holds, also one that a killed process, a full disk or an editor left in pieces. */
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type File, readLines } from './read-lines.js';
import { rowsOf, separateRows } from './separate-rows.js';
import { type Entry, type Header, joined, type Sending } from './waiting-batches.js';

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

/** A line that is no event: a header, or what happened to the batches before it. */
type Mark = Header | { readonly sent: string } | Sending;

/** Reads headers and marks alone, whatever the size of the file. */
export async function scanFallback(file: File): Promise<Found> {
  const { size } = await file.stat();
  const { line, endsAt } = readLines(file, size);
  let waiting = new Map<string, Entry>();
  const torn: Torn[] = [];
  for (let at = 0; at < size; ) {
    const { text, end: start } = await line(at);
    const mark = parseMark(text);
    if (mark && 'sent' in mark) {
      waiting.delete(mark.sent);
      at = start;
    } else if (mark && 'sending' in mark) {
      waiting = whatWasSent(waiting, mark);
      at = start;
    } else if (mark && IS_ID.test(mark.batch) && (await endsAt(start + mark.bytes))) {
      waiting.set(mark.batch, {
        id: mark.batch,
        tried: mark.tried === true,
        parts: [{ header: mark, start, size: start - at + mark.bytes }],
      });
      at = start + mark.bytes;
    } else {
      const lines: string[] = [];
      for (at = start; at < size; ) {
        const next = await line(at);
        if (parseMark(next.text)) break;
        lines.push(next.text);
        at = next.end;
      }
      torn.push(mark ? salvaged(mark, lines) : { reason: 'no batch begins here', lines: [text, ...lines] });
    }
  }
  return { waiting: [...waiting.values()], end: size, torn };
}

function whatWasSent(
  waiting: Map<string, Entry>,
  { sending, from, to, batches }: Sending,
): Map<string, Entry> {
  const all = [...waiting.values()];
  const sent = all.slice(0, batches);
  const isWhole = sent.length === batches && sent[0]?.id === from && sent.at(-1)?.id === to;
  // One of them was torn: each goes alone, since under an id that is perhaps known others would be dropped.
  const entries = isWhole ? [joined(sent, sending)] : sent.map((entry) => ({ ...entry, tried: true }));
  return new Map([...entries, ...all.slice(batches)].map((entry) => [entry.id, entry]));
}

/** What ClickHouse takes for a batch's id. */
const IS_ID = /^[0-9a-f-]{36}$/;

function parseMark(line: string): Mark | undefined {
  if (!line.startsWith('{"')) return undefined;
  try {
    const mark: unknown = JSON.parse(line);
    if (typeof mark !== 'object' || mark === null) return undefined;
    if ('sent' in mark && typeof mark.sent === 'string') return { sent: mark.sent };
    const { sending, from, to, batches } = mark as Partial<Sending>;
    if (IS_ID.test(sending ?? '') && [from, to].every((id) => typeof id === 'string') && isCount(batches)) {
      return mark as Sending;
    }
    const header = mark as Header;
    const counts = [header.events, header.bytes, header.crc, header.oldest];
    return typeof header.batch === 'string' && counts.every(isCount) ? header : undefined;
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Of a batch that ends too early, or lost its id, the whole lines are events. */
function salvaged(header: Header, lines: readonly string[]): Torn {
  const { good, bad } = separateRows(header, lines.join('\n'));
  const isKnown = IS_ID.test(header.batch);
  const reason = isKnown
    ? `batch ${header.batch} is cut short: ${good.length} of ${header.events} events are whole`
    : `${JSON.stringify(header.batch)} is no batch's id: ${good.length} events get a new one`;
  if (good.length === 0) return { reason, lines: bad };
  const rows = rowsOf(good);
  const batch = isKnown ? header.batch : randomUUID();
  const saved = { ...header, batch, events: good.length, bytes: Buffer.byteLength(rows), crc: crc32(rows) };
  return { reason, lines: bad, saved: { header: saved, rows } };
}
