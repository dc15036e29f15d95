import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { createTables } from '../../src/metering/tables.js';
import { type ClickHouseFront, startClickHouseFront } from './clickhouse-front.js';
import { type Embedded, openEmbedded } from './embedded.js';
import { HAS_CLICKHOUSE, openServer } from './server.js';
import { type Statements, statementsOf } from './statements.js';

/** ClickHouse with its tables, over one of its transports. */
export interface Engine extends Statements, Pick<Embedded, 'clickhouse' | 'folder'> {
  reopen(): Promise<Engine>;
  close(): Promise<void>;
}

/** ClickHouse over HTTP, and what may go wrong with it. */
export interface Fronted extends Engine {
  readonly front: ClickHouseFront;
  /** A further client of the front. */
  client(options?: { timeoutMs?: number; password?: string }): ClickHouseClient;
  reopen(): Promise<Fronted>;
}

export interface FrontedOptions {
  readonly folder?: string;
  /** The one that the front takes. @default any */
  readonly password?: string;
}

/** Opens the front on a folder of its own; at most one engine at a time in a process. */
export async function openFronted(options: FrontedOptions = {}): Promise<Fronted> {
  const { folder = mkdtempSync(join(tmpdir(), 'meterbridge-front-')), password: right } = options;
  const front = await startClickHouseFront({
    path: join(folder, 'clickhouse'),
    ...(right === undefined ? {} : { password: right }),
  });
  const clients: ClickHouseClient[] = [];
  const client: Fronted['client'] = ({ timeoutMs = 10_000, password = right ?? '' } = {}) => {
    const made = createClient({
      url: front.url,
      password,
      request_timeout: timeoutMs,
      clickhouse_settings: {
        output_format_json_quote_decimals: 1,
        output_format_json_quote_64bit_integers: 0,
      },
      log: { level: ClickHouseLogLevel.OFF },
    });
    clients.push(made);
    return made;
  };
  const clickhouse = client();
  await createTables(clickhouse);
  const shut = async () => {
    front.release();
    for (const one of clients) await one.close();
    await front.close();
  };
  return {
    front,
    client,
    clickhouse,
    folder,
    ...statementsOf(clickhouse),
    async reopen() {
      await shut();
      return openFronted({ ...options, folder });
    },
    async close() {
      await shut();
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * The roads to ClickHouse, for `describe.each`; a real server is one of them where the environment names it.
 * By which road a statement goes is the same in every time zone: the further ones take the first alone.
 */
export const TRANSPORTS: readonly (readonly [name: string, open: () => Promise<Engine>])[] = [
  ['the embedded engine', () => openEmbedded()] as const,
  ['HTTP', () => openFronted()] as const,
  ...(HAS_CLICKHOUSE ? [['a server', openServer] as const] : []),
].slice(0, process.env.ONE_TRANSPORT ? 1 : undefined);

/** Takes all usage out, and what the engine remembers of batches. */
export async function emptyUsage({ command }: Pick<Statements, 'command'>): Promise<void> {
  for (const table of ['usage_events', 'usage_hourly', 'usage_daily'])
    await command(`TRUNCATE TABLE ${table}`);
}
