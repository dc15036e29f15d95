/** ClickHouse: the engine in this process, or a server by its address. */
import { join } from 'node:path';
import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  ClickHouseLogLevel,
  createClient,
} from '@clickhouse/client';
import type { Config, Endpoint } from '../config.js';
import { messageOf } from '../say-failure.js';
import { embeddedConnection } from './embedded-clickhouse.js';
import { FIRST_ANSWER_MS, type Opened, off } from './opened.js';
import { unreachable } from './unreachable.js';

/** Money comes back as text, or it would pass through a float; counts as numbers. */
const SETTINGS = {
  output_format_json_quote_decimals: 1,
  output_format_json_quote_64bit_integers: 0,
} as const;

type ConnectionOption = NonNullable<ClickHouseClientConfigOptions['connection']>;

/** The client would print a stack for what we say in a sentence. */
const QUIET = { level: ClickHouseLogLevel.OFF };

export async function openClickHouse(config: Config, workspace: string): Promise<Opened<ClickHouseClient>> {
  const endpoint = config.clickhouse;
  if (!endpoint) return openEmbedded(join(workspace, 'clickhouse'));
  return 'url' in endpoint ? openServer(endpoint, config.clickhouseDatabase) : off(endpoint.message);
}

async function openEmbedded(path: string): Promise<Opened<ClickHouseClient>> {
  let client: ClickHouseClient;
  try {
    client = createClient({
      // The two packages declare the same contract, each with a private class of its own.
      connection: (await embeddedConnection(path)) as unknown as ConnectionOption,
      clickhouse_settings: SETTINGS,
      log: QUIET,
    });
    await client.command({ query: 'SELECT 1' });
  } catch (error) {
    return off(`ClickHouse cannot start in this process: ${firstLine(error)}`);
  }
  return { service: { mode: 'embedded', client, address: path }, close: () => client.close() };
}

async function openServer(endpoint: Endpoint, database: string): Promise<Opened<ClickHouseClient>> {
  const options = { url: endpoint.url, clickhouse_settings: SETTINGS, log: QUIET };
  const first = createClient({ ...options, request_timeout: FIRST_ANSWER_MS });
  try {
    await first.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
  } catch (error) {
    return off(unreachable(endpoint, error));
  } finally {
    await first.close();
  }
  const client = createClient({ ...options, database, request_timeout: 30_000 });
  return {
    service: { mode: 'configured', client, address: `${endpoint.url.origin}/${database}` },
    close: () => client.close(),
  };
}

const firstLine = (error: unknown) => messageOf(error).split('\n')[0];
