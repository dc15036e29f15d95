/**
 * Where batches wait while ClickHouse is away: one line of JSON for each batch, its id first,
 * synced to disk before the tracker lets go of the events. Replayed in order under the same
 * ids, so that a batch that did arrive before its answer was lost is not stored twice.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Batch } from './insert-events.js';

export class FallbackFile {
  /** The part that is being replayed; new batches go to `path` meanwhile. */
  readonly #replaying: string;
  /** Lines that are no batch (a disk that filled up, an editor), kept for a person to look at. */
  readonly quarantine: string;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(readonly path: string) {
    this.#replaying = `${path}.replaying`;
    this.quarantine = `${path}.quarantine`;
  }

  /** Adds a batch; when this returns it is on the disk. */
  append(batch: Batch): Promise<void> {
    return this.#inTurn(() => appendSynced(this.path, `${JSON.stringify(batch)}\n`));
  }

  /** Bytes that wait. */
  async size(): Promise<number> {
    const sizes = await Promise.all([this.path, this.#replaying].map(sizeOf));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /**
   * Hands every waiting batch to `send`, oldest first, and forgets what was sent.
   * Stops at the first refusal and keeps the rest.
   *
   * @returns events sent
   * @throws what `send` throws
   */
  async replay(send: (batch: Batch) => Promise<void>): Promise<number> {
    return this.#inTurn(async () => {
      let sent = await this.#replayPart(send);
      if (existsSync(this.path)) {
        await rename(this.path, this.#replaying);
        sent += await this.#replayPart(send);
      }
      return sent;
    });
  }

  async #replayPart(send: (batch: Batch) => Promise<void>): Promise<number> {
    if (!existsSync(this.#replaying)) return 0;
    let sent = 0;
    const lines = (await readFile(this.#replaying, 'utf8')).split('\n').filter((line) => line !== '');
    const waiting = [...lines];
    try {
      for (const line of lines) {
        const batch = parseBatch(line);
        if (batch) await send(batch);
        else await appendSynced(this.quarantine, `${line}\n`);
        sent += batch?.events.length ?? 0;
        waiting.shift();
      }
    } finally {
      if (waiting.length < lines.length) await this.#keep(waiting);
    }
    return sent;
  }

  /** A kill before the rename leaves the whole part, which is sent again: the ids make that harmless. */
  async #keep(lines: readonly string[]): Promise<void> {
    const rest = `${this.#replaying}.rest`;
    await rm(rest, { force: true });
    if (lines.length === 0) return rm(this.#replaying);
    await appendSynced(rest, `${lines.join('\n')}\n`);
    await rename(rest, this.#replaying);
  }

  /** One file operation at a time, in the order of the calls. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work, work);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}

async function appendSynced(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a+');
  try {
    await file.appendFile((await endsMidLine(file)) ? `\n${text}` : text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** A kill may have left half a line; the next batch must not be glued to it. */
async function endsMidLine(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

function parseBatch(line: string): Batch | undefined {
  try {
    const batch: unknown = JSON.parse(line);
    const isBatch =
      typeof batch === 'object' &&
      batch !== null &&
      'id' in batch &&
      typeof batch.id === 'string' &&
      'events' in batch &&
      Array.isArray(batch.events);
    return isBatch ? (batch as Batch) : undefined;
  } catch {
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number> {
  return existsSync(path) ? (await stat(path)).size : 0;
}
