// The embedded services on a folder of their own, gone afterwards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTables, openServices, readConfig } from 'meterbridge';

export async function withEngine(work) {
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-bench-'));
  const services = await openServices({
    workspace: 'bench',
    dataDir: folder,
    config: readConfig({ PATH: process.env.PATH }),
  });
  try {
    if (services.clickhouse.mode === 'off') throw new Error(services.clickhouse.skip);
    const clickhouse = services.clickhouse.client;
    await createTables(clickhouse);
    return await work({ clickhouse, redis: services.redis, folder });
  } finally {
    await services.close();
    rmSync(folder, { recursive: true });
  }
}

export async function rowsOf(clickhouse, query, query_params) {
  return (await clickhouse.query({ query, query_params, format: 'JSONEachRow' })).json();
}
