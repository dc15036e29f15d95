import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { readConfig } from '../../src/config.js';
import { createTables } from '../../src/metering/tables.js';
import type { RedisClient } from '../../src/redis-client.js';
import { openServices } from '../../src/services/open-services.js';
import { type Statements, statementsOf } from './statements.js';

/** The real engines on a folder of their own: no setting of this machine counts. */
export interface Embedded extends Statements {
  readonly clickhouse: ClickHouseClient;
  readonly redis: RedisClient;
  readonly folder: string;
  /** Closes the engines and opens them on the same folder. */
  reopen(): Promise<Embedded>;
  /** Closes the engines; the folder goes too. */
  close(): Promise<void>;
}

/** Opens ClickHouse with its tables, and Redis; at most one at a time in a process. */
export async function openEmbedded(
  folder = mkdtempSync(join(tmpdir(), 'meterbridge-test-')),
): Promise<Embedded> {
  const config = readConfig({ PATH: process.env.PATH });
  const services = await openServices({ workspace: 'test', dataDir: folder, config });
  if (services.clickhouse.mode === 'off') throw new Error(services.clickhouse.skip);
  if (services.redis.mode === 'off') throw new Error(services.redis.skip);
  const { client: clickhouse } = services.clickhouse;
  await createTables(clickhouse);
  return {
    clickhouse,
    redis: services.redis.client,
    folder,
    ...statementsOf(clickhouse),
    async reopen() {
      await services.close();
      return openEmbedded(folder);
    },
    async close() {
      await services.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Queries and cost of each table, which must agree: `{ events: '3 0.00312600', hourly: …, daily: … }`. */
export async function countsOf(
  { rows }: Pick<Statements, 'rows'>,
  where = '1',
): Promise<Record<string, string>> {
  const [counts = {}] = await rows<Record<string, string>>(`
    SELECT ${[
      ['events', 'usage_events FINAL'],
      ['hourly', 'usage_hourly'],
      ['daily', 'usage_daily'],
    ]
      .map(
        ([name, table]) => `(
          SELECT concat(toString(sum(queries)), ' ', toDecimalString(sum(cost_usd), 8))
          FROM ${table}
          WHERE ${where}) AS ${name}`,
      )
      .join(', ')}`);
  return counts;
}

/** A client of a port on which nobody listens. */
export function refusedClient(): ClickHouseClient {
  return createClient({ url: 'http://127.0.0.1:1', log: { level: ClickHouseLogLevel.OFF } });
}
