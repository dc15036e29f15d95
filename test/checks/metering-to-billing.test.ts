import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../src/checks/check.js';
import { checkDashboardPerformance } from '../../src/checks/dashboard-performance.js';
import { checkDataAccuracy } from '../../src/checks/data-accuracy.js';
import { checkImmutableCost, type InvoiceMaker } from '../../src/checks/immutable-cost.js';
import { checkMeteringToBilling } from '../../src/checks/metering-to-billing.js';
import { PANELS, type Panel } from '../../src/dashboard/panels.js';
import { makeCostInvoices } from '../../src/invoices/cost-invoice.js';
import { seal } from '../../src/invoices/seal.js';
import { deleteUsage } from '../../src/metering/delete-usage.js';
import { loadSampleMonth, restoreSampleTenant, SAMPLE_NOW } from '../../src/metering/sample-month.js';
import { formatUsd } from '../../src/money.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import { withQuotaTrial } from '../../src/server/quota-trial.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';

const events = 105_000;
const now = SAMPLE_NOW;
const dashboardNow = new Date(now.getTime() - 1);
let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
  await loadSampleMonth(engine.clickhouse, { events });
});
afterAll(() => engine.close());

const service = () => ({ mode: 'embedded', client: engine.clickhouse, address: 'here' }) as const;
const off = { mode: 'off', skip: 'OFFLINE=true' } as const;
const expectRed = (result: CheckResult, problem: RegExp, advice: RegExp) => {
  expect(result.status).toBe('fail');
  expect(result.evidence.join('\n')).toMatch(problem);
  expect(result.advice).toMatch(advice);
};

describe('checkMeteringToBilling()', () => {
  it('passes all four on the sample, in the course’s order', async () => {
    const gate = redisQuotaGate(engine.redis);
    const { bridge, results } = await withQuotaTrial(gate, (quotaTrial) =>
      checkMeteringToBilling({ clickhouse: service(), quotaTrial, now }),
    );
    expect([bridge, ...results.map(({ id, status }) => `${id} ${status}`)]).toEqual([
      'm12.1-m12.2',
      'data-accuracy pass',
      'immutable-cost pass',
      'dashboard-performance pass',
      'quota-enforcement pass',
    ]);
    expect(results.map(({ evidence }) => evidence[0])).toEqual([
      '52 of 52 active tenants have usage in the last 30 days',
      '52 invoices of 2025-11 made twice: the same hash each',
      'Dashboard loaded in under 1.0 s: 5 panels of charlie-co, 52,100 events in 30 days',
      'Request 11: Blocked with 429 (quota exceeded) by one Redis script, after 10 that passed',
    ]);
  });

  it('skips what is off, with the reason and what was expected', async () => {
    const { results } = await checkMeteringToBilling({ clickhouse: off, quotaTrial: off, now });
    expect(results.map(({ status, evidence, expected }) => [status, evidence, expected[0]])).toEqual([
      ['skip', ['OFFLINE=true'], 'tenant_123 | 1,450 events | $127.35'],
      [
        'skip',
        ['OFFLINE=true'],
        'Invoice of tenant_123, month 2025-10: 1,250 queries, 185,000 tokens, $127.35, hash 8 characters, the same twice',
      ],
      ['skip', ['OFFLINE=true'], 'Dashboard loaded in 0.347s ✓'],
      ['skip', ['OFFLINE=true'], 'Requests 1-10: passed'],
    ]);
  });
});

describe('checkDataAccuracy()', () => {
  it('shows the course’s tenants', async () => {
    const { evidence } = await checkDataAccuracy(service(), { now });
    expect(evidence.slice(1)).toEqual([
      'acme-corp | 28,450 events | $47.23',
      'beta-inc | 8,320 events | $15.67',
      'charlie-co | 52,100 events | $82.41',
    ]);
  });

  it('is red when an active tenant’s rows are gone, and green when they are back', async () => {
    await deleteUsage(engine.clickhouse, { tenantId: 'beta-inc' });
    const result = await checkDataAccuracy(service(), { now });
    await restoreSampleTenant(engine.clickhouse, { tenantId: 'beta-inc', events });
    expectRed(
      result,
      /^beta-inc is active and has no usage in the last 30 days$/,
      /tracker, fallback file, replay/,
    );
    expect((await checkDataAccuracy(service(), { now })).status).toBe('pass');
  });

  it('looks at the last 30 days only', async () => {
    const later = new Date(now.getTime() + 31 * 86_400_000);
    expectRed(await checkDataAccuracy(service(), { now: later }), /acme-corp is active/, /Mend M12\.1/);
  });

  it('is red when there is no active tenant at all', async () => {
    const before = new Date('2025-01-01T00:00:00Z');
    expectRed(await checkDataAccuracy(service(), { now: before }), /^no tenant is active$/, /Mend M12\.1/);
  });

  it('is red when the table cannot be read', async () => {
    await engine.command('RENAME TABLE usage_events TO away');
    const result = await checkDataAccuracy(service(), { now });
    await engine.command('RENAME TABLE away TO usage_events');
    expectRed(result, /usage_events/, /Mend M12\.1/);
  });
});

describe('checkImmutableCost()', () => {
  it('is red when an invoice is priced anew', async () => {
    const reprice: InvoiceMaker = async (client, { priceTables, ...request }) =>
      (await makeCostInvoices(client, request)).map(({ invoice }) => {
        const cost = BigInt(invoice.total_queries) * (priceTables[0]?.basePerQuery ?? 0n);
        return seal({ ...invoice, total_cost_usd: formatUsd(cost) });
      });
    const result = await checkImmutableCost(service(), { now, makeInvoices: reprice });
    expectRed(
      result,
      /^acme-corp: .*hash [0-9a-f]{8}; after a price change .*hash [0-9a-f]{8}$/m,
      /store the cost in the event/,
    );
  });

  it('is red when an invoice is the same twice and not what was stored', async () => {
    const wrong: InvoiceMaker = async (client, request) =>
      (await makeCostInvoices(client, request)).map(({ invoice }) => {
        const lines = invoice.lines.map((line) => ({ ...line, cost_usd: '1.00000000' }));
        return seal({ ...invoice, lines });
      });
    const result = await checkImmutableCost(service(), { now, makeInvoices: wrong });
    expectRed(
      result,
      /^acme-corp: the invoice says \$1\.00000000, the daily rollup \$47\.22999700$/m,
      /sum what is stored/,
    );
  });

  it('is red when a month’s events are gone and the rollup still has them', async () => {
    await engine.command(
      `ALTER TABLE usage_events DELETE WHERE tenant_id = 'acme-corp' SETTINGS mutations_sync = 1`,
    );
    const result = await checkImmutableCost(service(), { now });
    await deleteUsage(engine.clickhouse, { tenantId: 'acme-corp' });
    await restoreSampleTenant(engine.clickhouse, { tenantId: 'acme-corp', events });
    expectRed(
      result,
      /acme-corp: the invoice says \$0\.00000000, the daily rollup \$47\.22999700/,
      /Mend M12\.1/,
    );
  });
});

describe('checkDashboardPerformance()', () => {
  it('is red when a panel reads raw events, however quick', async () => {
    const raw: Panel = {
      ...(PANELS[0] as Panel),
      id: 'raw',
      sql: 'SELECT count() AS value FROM (SELECT * FROM usage_events)',
    };
    const result = await checkDashboardPerformance(service(), {
      now: dashboardNow,
      panels: [...PANELS, raw],
    });
    expectRed(
      result,
      /^panel raw reads usage_events, not a rollup$/,
      /let every panel read usage_hourly or usage_daily/,
    );
  });

  it('is red when it takes longer than the budget', async () => {
    const result = await checkDashboardPerformance(service(), { now: dashboardNow, budgetSeconds: 0.000001 });
    expectRed(
      result,
      /^the dashboard of charlie-co took \d\.\d{3} s, the limit is 0\.000001 s$/,
      /delays payments/,
    );
    expect(result.measured.dashboard).toBeGreaterThan(0);
  });

  it('is red when no tenant has usage', async () => {
    const result = await checkDashboardPerformance(service(), { now: new Date('2025-01-01') });
    expectRed(result, /^no tenant has usage in the last 30 days$/, /Mend M12\.1/);
  });

  it('is red when the panels are empty', async () => {
    const panels = PANELS.map((panel) => ({ ...panel, sql: `SELECT * FROM (${panel.sql}) WHERE 0` }));
    const result = await checkDashboardPerformance(service(), { now: dashboardNow, panels });
    expectRed(result, /every panel is empty/, /Mend M12\.1/);
  });
});
