/**
 * Where batches wait on the disk: those that ClickHouse did not take, and with write-ahead all of
 * them. A batch is a header line with its id and length, then its events as they will be sent, a
 * line each; a batch that was sent leaves a mark. Synced once a batch, replayed in order under the
 * same ids, so that a batch whose answer was lost is not stored twice.
 */
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { EncodedBatch } from './encode-batch.js';
import {
  type Entry,
  type File,
  type Header,
  readBytes,
  repairFallback,
  scanFallback,
  writeBytes,
} from './scan-fallback.js';
import { separateRows } from './separate-rows.js';

/** What waits on the disk. */
export interface FallbackState {
  readonly events: number;
  readonly bytes: number;
  /** When the oldest waiting event was accepted, in epoch milliseconds. */
  readonly oldest: number | undefined;
  /** Lines that were no events and were put aside by this process. */
  readonly quarantined: number;
}

export class FallbackFile {
  /** Lines that are no events (a kill, a full disk, an editor), each with the reason, as JSON. */
  readonly quarantine: string;
  #file: File | undefined;
  #waiting: Entry[] = [];
  #end = 0;
  #quarantined = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly path: string) {
    this.quarantine = `${path}.quarantine`;
  }

  /** What waits; of an earlier process's batches after `open()`. */
  get state(): FallbackState {
    const events = this.#waiting.reduce((sum, { header }) => sum + header.events, 0);
    const oldest = this.#waiting[0]?.header.oldest;
    return { events, bytes: events > 0 ? this.#end : 0, oldest, quarantined: this.#quarantined };
  }

  /** Reads what an earlier process left, and repairs it. Calling it again does nothing. */
  async open(): Promise<void> {
    await this.#inTurn(() => this.#opened());
  }

  /** Adds a batch; when this returns it is on the disk. */
  append(batch: EncodedBatch): Promise<void> {
    return this.#inTurn(async () => this.#write(await this.#opened(), batch));
  }

  /**
   * Hands every waiting batch to `send`, oldest first, and marks what was sent; batches added
   * meanwhile too. Stops at the first refusal and keeps the rest. Lines that an editor or a disk
   * spoiled are put aside: the engine would refuse the whole batch for one, or take nulls for an event.
   *
   * @throws what `send` throws
   */
  async replay(send: (batch: EncodedBatch) => Promise<void>): Promise<void> {
    await this.open();
    for (let entry = this.#waiting[0]; entry; entry = this.#waiting[0]) {
      const { header, start } = entry;
      const rows = await this.#inTurn(async () => readBytes(await this.#opened(), start, header.bytes));
      const batch: EncodedBatch = {
        id: header.batch,
        count: header.events,
        oldest: header.oldest,
        rows: rows.toString('utf8'),
      };
      const { good, bad } = crc32(rows) === header.crc ? { good: batch, bad: [] } : separateRows(batch);
      if (good.count > 0) await send(good);
      if (bad.length > 0) await this.#inTurn(() => this.#putAside(`no event of batch ${batch.id}`, bad));
      await this.#inTurn(() => this.#markSent());
    }
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#file?.close();
      this.#file = undefined;
    });
  }

  async #opened(): Promise<File> {
    if (this.#file) return this.#file;
    await mkdir(dirname(this.path), { recursive: true });
    // Not in append mode: every write says where it goes, so that half a write can be taken back.
    let file = await open(this.path, constants.O_RDWR | constants.O_CREAT);
    try {
      let found = await scanFallback(file);
      if (found.torn.length > 0) {
        for (const { reason, lines } of found.torn) await this.#putAside(reason, lines);
        file = await repairFallback(this.path, file, found);
        found = await scanFallback(file);
      }
      [this.#waiting, this.#end] = [found.waiting, found.end];
      this.#file = file;
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** For a person to look at. */
  async #putAside(reason: string, lines: readonly string[]): Promise<void> {
    const file = await open(this.quarantine, 'a');
    try {
      await file.appendFile(lines.map((line) => `${JSON.stringify({ reason, line })}\n`).join(''));
      await file.datasync();
    } finally {
      await file.close();
    }
    this.#quarantined += lines.length;
  }

  async #write(file: File, { id, count, oldest, rows }: EncodedBatch): Promise<void> {
    const encoded = Buffer.from(rows);
    const header: Header = { batch: id, events: count, bytes: encoded.length, crc: crc32(encoded), oldest };
    const line = Buffer.from(`${JSON.stringify(header)}\n`);
    const start = this.#end + line.length;
    try {
      await writeBytes(file, Buffer.concat([line, encoded]), this.#end);
      await file.datasync();
    } catch (error) {
      await file.truncate(this.#end).catch(() => undefined);
      throw error;
    }
    this.#end = start + header.bytes;
    this.#waiting.push({ header, start });
  }

  async #markSent(): Promise<void> {
    const file = await this.#opened();
    const sent = this.#waiting.shift();
    if (this.#waiting.length === 0) {
      await file.truncate(0);
      this.#end = 0;
    } else {
      // Not synced: a mark that is lost means that the batch is sent again, under the same id.
      const line = Buffer.from(`${JSON.stringify({ sent: sent?.header.batch })}\n`);
      await writeBytes(file, line, this.#end);
      this.#end += line.length;
    }
  }

  /** One file operation at a time, in the order of the calls. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
