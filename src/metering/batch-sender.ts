/** Sends batches to ClickHouse, counts what came of it, and remembers why something failed. */
import type { ClickHouseClient } from '@clickhouse/client';
import { messageOf } from '../say-failure.js';
import type { EncodedBatch } from './encode-batch.js';
import { insertBatch } from './insert-batch.js';

export class BatchSender {
  readonly #clickhouse: ClickHouseClient | undefined;
  /** Whether ClickHouse took the last batch of this flush. */
  answers = true;
  /** Why the last insert or write failed, if one did. */
  lastError: string | undefined;
  readonly counts = { stored: 0, batches: 0, failures: 0 };

  constructor(clickhouse: ClickHouseClient | undefined) {
    this.#clickhouse = clickhouse;
  }

  /** Without ClickHouse every batch is refused. */
  get isOff(): boolean {
    return this.#clickhouse === undefined;
  }

  /** A new flush asks ClickHouse again. */
  begin(): void {
    this.answers = true;
  }

  /** @throws what ClickHouse or the connection says */
  async send(batch: EncodedBatch): Promise<void> {
    try {
      if (!this.#clickhouse) throw new Error('ClickHouse is off');
      await insertBatch(this.#clickhouse, batch);
    } catch (error) {
      this.counts.failures += 1;
      this.answers = false;
      this.noted(error);
      throw error;
    }
    this.counts.batches += 1;
    this.counts.stored += batch.count;
  }

  readonly noted = (error: unknown): string => {
    this.lastError = messageOf(error);
    return this.lastError;
  };
}
