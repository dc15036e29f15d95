/**
 * Where batches wait on the disk: those that ClickHouse did not take, and with write-ahead all of
 * them. A batch is a header line with its id and length, then its events as they will be sent, a
 * line each; a batch that was sent leaves a mark. Synced once a batch, replayed in order under the
 * same ids, so that a batch whose answer was lost is not stored twice. Small batches that were never
 * sent go together, under one id: an insert of one event costs as much as one of a thousand.
 */
import { constants, rmSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { takeLock } from '../process-lock.js';
import type { EncodedBatch } from './encode-batch.js';
import { quarantine } from './quarantine.js';
import { readBatch } from './read-batch.js';
import type { File } from './read-lines.js';
import { isRemoved, rewriteFallback } from './rewrite-fallback.js';
import { scanFallback } from './scan-fallback.js';
import {
  type Entry,
  type Header,
  joined,
  sendingMark,
  together,
  type Waits,
  whatWaits,
} from './waiting-batches.js';
import { writeAt } from './write-at.js';

/** From this size on a file of which most was sent is written anew, in bytes. */
const MOSTLY_SENT = 16 * 1_024 * 1_024;

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

  /** What waits, of an earlier process too after `open()`; and lines that this one put aside. */
  get state(): Waits & { readonly quarantined: number } {
    return { ...whatWaits(this.#waiting), quarantined: this.#quarantined };
  }

  /** Reads what an earlier process left, and repairs it; once. @throws Error when another has the file. */
  async open(): Promise<void> {
    await this.#inTurn(() => this.#opened());
  }

  /**
   * Adds a batch; when this returns it is on the disk.
   *
   * @param tried whether ClickHouse may know the batch: it keeps to itself then
   */
  append(batch: EncodedBatch, { tried = false } = {}): Promise<void> {
    return this.#inTurn(async () => {
      const file = await this.#opened();
      // One that somebody removed is written anew, with what waits in it.
      const whole = (await isRemoved(this.path, file)) ? await this.#rewritten(file) : file;
      await this.#write(whole, batch, tried);
    });
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
    while (this.#waiting.length > 0) {
      const { batch, bad } = await this.#inTurn(async () => {
        const file = await this.#opened();
        return readBatch(file, await this.#claimed(file));
      });
      if (batch.count > 0) await send(batch);
      await this.#inTurn(async () => {
        await this.#putAside(`no event of batch ${batch.id}`, bad);
        await this.#markSent(await this.#opened());
      });
    }
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#file) rmSync(`${this.path}.lock`, { force: true });
      await this.#file?.close();
      this.#file = undefined;
    });
  }

  async #opened(): Promise<File> {
    if (this.#file) return this.#file;
    await lock(this.path);
    let file: File | undefined;
    try {
      // Not in append mode: every write says where it goes, so that half a write can be taken back.
      file = await open(this.path, constants.O_RDWR | constants.O_CREAT);
      const { torn } = await this.#scan(file);
      if (torn.length > 0) {
        for (const { reason, lines } of torn) await this.#putAside(reason, lines);
        file = await rewriteFallback(this.path, file, { waiting: this.#waiting, torn });
        await this.#scan(file);
      }
      this.#file = file;
      return file;
    } catch (error) {
      await file?.close();
      rmSync(`${this.path}.lock`, { force: true });
      throw error;
    }
  }

  /** What waits is known from then on, whatever fails afterwards. */
  async #scan(file: File) {
    const found = await scanFallback(file);
    [this.#waiting, this.#end] = [found.waiting, found.end];
    return found;
  }

  async #rewritten(file: File): Promise<File> {
    this.#file = await rewriteFallback(this.path, file, { waiting: this.#waiting, torn: [] });
    await this.#scan(this.#file);
    return this.#file;
  }

  async #putAside(reason: string, lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await quarantine(this.quarantine, reason, lines);
    this.#quarantined += lines.length;
  }

  async #write(file: File, { id, count, oldest, rows }: EncodedBatch, tried: boolean): Promise<void> {
    const checked = { events: count, bytes: rows.length, crc: crc32(rows), oldest };
    const header: Header = { batch: id, ...checked, ...(tried && { tried }) };
    const bytes = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), rows]);
    const start = this.#end + bytes.length - rows.length;
    await this.#writeEnd(file, bytes);
    this.#waiting.push({ id, tried, parts: [{ header, start, size: bytes.length }] });
  }

  async #writeEnd(file: File, text: string | Buffer, options?: { sync: boolean }): Promise<void> {
    this.#end += await writeAt(file, this.#end, Buffer.from(text), options);
  }

  /** Written down before it is sent, so that after a kill the same events go under the same id. */
  async #claimed(file: File): Promise<Entry> {
    const entries = together(this.#waiting);
    if (entries[0]?.tried) return entries[0];
    const entry = joined(entries);
    try {
      await this.#writeEnd(file, sendingMark(entry));
      this.#waiting.splice(0, entries.length, entry);
      return entry;
    } catch {
      // A full disk: the first goes alone, which makes room.
      const first = joined(entries.slice(0, 1));
      this.#waiting[0] = first;
      return first;
    }
  }

  async #markSent(file: File): Promise<void> {
    const sent = this.#waiting.shift();
    if (this.#waiting.length === 0) {
      await file.truncate(0);
      this.#end = 0;
      return;
    }
    try {
      if (this.#end > MOSTLY_SENT && this.state.bytes < this.#end / 2) await this.#rewritten(file);
      else await this.#writeEnd(file, `${JSON.stringify({ sent: sent?.id })}\n`, { sync: false });
    } catch {
      // Neither synced nor needed: a mark that is lost means that the batch is sent again, under the same id.
    }
  }

  /** One file operation at a time, in the order of the calls. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

async function lock(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (takeLock(`${path}.lock`)) return;
  throw new Error(`Cannot open ${path}: another tracker has it open, see ${path}.lock`);
}
