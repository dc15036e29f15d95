import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { makeCostInvoice } from '../../src/invoices/cost-invoice.js';
import { loadSampleMonth } from '../../src/metering/sample-month.js';
import { createTables } from '../../src/metering/tables.js';
import { openServices, type Services } from '../../src/services/open-services.js';
import { type ClickHouseFront, startClickHouseFront } from '../support/clickhouse-front.js';

describe('a ClickHouse server by its address', () => {
  const folder = mkdtempSync(join(tmpdir(), 'front-'));
  let front: ClickHouseFront;
  let services: Services;

  beforeAll(async () => {
    front = await startClickHouseFront({ path: join(folder, 'engine'), password: 'right' });
    const config = readConfig({ CLICKHOUSE_URL: front.url.replace('//', '//default:right@'), PATH: '' });
    services = await openServices({ workspace: 'front', dataDir: join(folder, 'data'), config });
  });
  afterAll(async () => {
    await services.close();
    await front.close();
    rmSync(folder, { recursive: true });
  });

  it('makes the same invoice as the embedded engine', async () => {
    if (services.clickhouse.mode === 'off') throw new Error(services.clickhouse.skip);
    expect(services.clickhouse.mode).toBe('configured');
    await createTables(services.clickhouse.client);
    await loadSampleMonth(services.clickhouse.client, { events: 105_000 });
    const { invoice } = await makeCostInvoice(services.clickhouse.client, {
      tenantId: 'acme-corp',
      month: '2025-11',
    });
    expect(invoice.total_cost_usd).toBe('47.22999700');
  });

  it('is off with a sentence when the password is wrong', async () => {
    const config = readConfig({ CLICKHOUSE_URL: front.url.replace('//', '//default:wrong@'), PATH: '' });
    const refused = await openServices({ workspace: 'refused', dataDir: join(folder, 'data'), config });
    await refused.close();
    expect(refused.clickhouse).toMatchObject({
      mode: 'off',
      skip: `CLICKHOUSE_URL: the user or password is wrong at ${new URL(front.url).host}`,
    });
  });
});
