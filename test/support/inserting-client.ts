import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import type { UsageEvent } from '../../src/metering/event.js';
import { eventsIn } from './events.js';

type Params = { query: string; values: Readable; clickhouse_settings: Record<string, string> };
type Exec = ClickHouseClient['exec'];

/** What an insert of a batch carries. */
export interface Inserted {
  readonly id: string;
  readonly events: UsageEvent[];
}

/** A client that takes batches only; without `next`, nothing is stored. */
export function insertingClient(
  insert: (inserted: Inserted) => unknown,
  next: Exec = async () => ({ stream: Readable.from([]) }) as unknown as Awaited<ReturnType<Exec>>,
): ClickHouseClient {
  const exec = async (params: Params) => {
    const rows = Buffer.concat(await params.values.toArray());
    const id = params.clickhouse_settings.insert_deduplication_token ?? '';
    await insert({ id, events: eventsIn(String(rows)) });
    return next({ ...params, values: Readable.from([rows]) });
  };
  return { exec } as unknown as ClickHouseClient;
}
