import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config.js';
import { createTables } from '../../src/metering/tables.js';
import { openServices, type Services } from '../../src/services/open-services.js';
import type { Engine } from './fronted.js';
import { statementsOf } from './statements.js';

/** The servers that the environment names (a job of CI has some); a test that needs them is left out elsewhere. */
export const HAS_CLICKHOUSE = Boolean(process.env.CLICKHOUSE_URL);
export const HAS_SERVERS = HAS_CLICKHOUSE && Boolean(process.env.REDIS_URL);

export interface OpenedServer extends Engine {
  readonly services: Services;
}

/** The server of CLICKHOUSE_URL with our tables, in a database that is this process's alone and goes at the end. */
export async function openServer(): Promise<OpenedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-server-'));
  const config = { ...readConfig(), clickhouseDatabase: `meterbridge_test_${process.pid}` };
  const services = await openServices({ workspace: 'test', dataDir: folder, config });
  if (services.clickhouse.mode !== 'configured')
    throw new Error('CLICKHOUSE_URL names no server that answers');
  const { client: clickhouse } = services.clickhouse;
  await createTables(clickhouse);
  const statements = statementsOf(clickhouse);
  return {
    services,
    clickhouse,
    folder,
    ...statements,
    async reopen() {
      await services.close();
      return openServer();
    },
    async close() {
      await statements.command(`DROP DATABASE ${config.clickhouseDatabase}`);
      await services.close();
      rmSync(folder, { recursive: true });
    },
  };
}
