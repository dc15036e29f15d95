import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ForeignDataError } from '../../src/errors.js';
import { deleteUsage } from '../../src/metering/delete-usage.js';
import { loadSampleMonth, restoreSampleTenant } from '../../src/metering/sample-month.js';
import { sampleTenants } from '../../src/metering/sample-tenants.js';
import { recordTenants } from '../../src/metering/tenants.js';
import { parseMonth } from '../../src/period.js';
import { countsOf, type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

const events = 105_000;
let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
const empty = async () => {
  for (const table of ['usage_events', 'usage_hourly', 'usage_daily', 'tenant_quotas'])
    await engine.command(`TRUNCATE TABLE ${table}`);
};
const hashOf = () => engine.rows('SELECT count() AS n, sum(cityHash64(*)) AS hash FROM usage_events');

describe('loadSampleMonth(), again', () => {
  it('loads the same rows into an emptied database', async () => {
    await loadSampleMonth(engine.clickhouse, { events });
    const first = await hashOf();
    await empty();
    await loadSampleMonth(engine.clickhouse, { events });
    expect(await hashOf()).toEqual(first);
  });

  it('leaves a loaded month as it is', async () => {
    const before = [await hashOf(), await countsOf(engine)];
    const { loaded } = await loadSampleMonth(engine.clickhouse, { events });
    expect([loaded, await hashOf(), await countsOf(engine)]).toEqual([false, ...before]);
  });

  it('starts anew after a load that was cut short', async () => {
    const whole = await countsOf(engine);
    await engine.command('TRUNCATE TABLE tenant_quotas');
    await engine.command(`ALTER TABLE usage_events DELETE WHERE tenant_id > 'c' SETTINGS mutations_sync = 1`);
    const { loaded } = await loadSampleMonth(engine.clickhouse, { events });
    expect([loaded, await countsOf(engine)]).toEqual([true, whole]);
  });

  it('gives the same sums after one tenant was deleted and restored', async () => {
    const whole = await countsOf(engine);
    for (let time = 1; time <= 2; time += 1) {
      await deleteUsage(engine.clickhouse, { tenantId: 'acme-corp' });
      expect((await countsOf(engine, `tenant_id = 'acme-corp'`)).events).toBe('0 0.00000000');
      await restoreSampleTenant(engine.clickhouse, { tenantId: 'acme-corp', events });
    }
    expect(await countsOf(engine)).toEqual(whole);
    expect((await countsOf(engine, `tenant_id = 'acme-corp'`)).daily).toBe('28450 47.22999700');
  });

  it('refuses a database with usage of others, and changes nothing', async () => {
    const foreign = eventOf({ tenantId: 'somebody-else' });
    await storeBatch(engine.clickhouse, [foreign]);
    const before = await countsOf(engine);
    await expect(loadSampleMonth(engine.clickhouse, { events })).rejects.toThrow(
      new ForeignDataError(['somebody-else']),
    );
    expect(await countsOf(engine)).toEqual(before);
  });

  it('takes others that it was told of', async () => {
    await empty();
    await storeBatch(engine.clickhouse, [eventOf({ tenantId: 'somebody-else' })]);
    const first = await loadSampleMonth(engine.clickhouse, { events, beside: ['somebody-else'] });
    const again = await loadSampleMonth(engine.clickhouse, { events, beside: ['somebody-else'] });
    expect([first.loaded, first.events, again.loaded, again.events]).toEqual([true, events, false, events]);
    // As a load that was cut off leaves it.
    await engine.command('TRUNCATE TABLE tenant_quotas');
    await loadSampleMonth(engine.clickhouse, { events, beside: ['somebody-else'] });
    expect((await countsOf(engine, `tenant_id = 'somebody-else'`)).events).toMatch(/^1 /);
    await empty();
  });

  it('refuses a database with others’ terms', async () => {
    await empty();
    const effectiveFrom = new Date('2025-01-01');
    await recordTenants(engine.clickhouse, [
      { tenantId: 'customer', effectiveFrom, plan: 'pro', state: 'active' },
    ]);
    await expect(loadSampleMonth(engine.clickhouse, { events })).rejects.toThrow(
      'Cannot load the sample month: the database already has usage of customer; set CLICKHOUSE_DB to a database of its own',
    );
  });
});

describe('restoreSampleTenant()', () => {
  it.each(['nobody', "'; DROP TABLE usage_events"])(
    'refuses %j, whom the sample does not have',
    async (tenantId) => {
      await expect(restoreSampleTenant(engine.clickhouse, { tenantId, events })).rejects.toThrow(
        `Cannot restore tenant: the sample has no ${JSON.stringify(tenantId)}`,
      );
    },
  );
});

describe('sampleTenants()', () => {
  const month = parseMonth('2025-11');

  it.each([105_000, 105_001, 234_567, 1_000_000, 10_000_000])('shares out exactly %i events', (events) => {
    const tenants = sampleTenants({ events, month });
    expect(tenants.reduce((sum, { queries }) => sum + queries, 0)).toBe(events);
    expect(tenants.filter(({ queries }) => queries === 0).map(({ tenantId }) => tenantId)).toEqual([
      'echo-trial',
    ]);
    expect(new Set(tenants.map(({ tenantId }) => tenantId)).size).toBe(53);
  });

  it.each([104_999, 0, -1, 105_000.5, NaN, Infinity])('refuses %s events', (events) => {
    expect(() => sampleTenants({ events, month })).toThrow(
      new RangeError(
        `Cannot make the sample month: MB_EVENTS must be a whole number of at least 105000, current value is ${events}`,
      ),
    );
  });
});

describe('restoreSampleTenant(), called twice', () => {
  it('leaves the same sums', async () => {
    const sums = () => countsOf(engine, "tenant_id = 'acme-corp'");
    await restoreSampleTenant(engine.clickhouse, { tenantId: 'acme-corp', events: 105_000 });
    await restoreSampleTenant(engine.clickhouse, { tenantId: 'acme-corp', events: 105_000 });
    const right = '28450 47.22999700';
    expect(await sums()).toEqual({ events: right, hourly: right, daily: right });
  });

  it('has nothing to restore for a tenant without usage', async () => {
    await restoreSampleTenant(engine.clickhouse, { tenantId: 'echo-trial', events: 105_000 });
    expect((await countsOf(engine, "tenant_id = 'echo-trial'")).events).toBe('0 0.00000000');
  });
});
