import type Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { openReportLedger, type ReportLedger } from '../../src/billing/report-ledger.js';
import { UsageSyncService } from '../../src/billing/usage-sync.js';
import { createLocalStripe, type LocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const start = Date.parse('2025-11-01T00:00:00Z') / 1_000;
const end = Date.parse('2025-12-01T00:00:00Z') / 1_000;
const now = new Date('2025-11-20T12:00:00Z');
const tenants = ['acme-corp', 'beta-inc', 'charlie-co'];

let local: LocalStripe;
let stripe: Stripe;
let billing: StripeBillingManager;
let ledger: ReportLedger;
let meterId: string;
beforeEach(async () => {
  await engine.command('DROP TABLE IF EXISTS usage_reports');
  ledger = await openReportLedger(engine.clickhouse);
  local = createLocalStripe({ seed: 'sync', now: () => now });
  stripe = local.client({ maxNetworkRetries: 0 });
  const catalogue = await ensureCatalogue(stripe);
  meterId = catalogue.meterId;
  billing = new StripeBillingManager(stripe, { catalogue, now: () => now });
  for (const tenantId of tenants) {
    await billing.createCustomer({ tenantId, email: `${tenantId}@example.com`, name: tenantId });
  }
});

const rowsOf = (query_count: number, dates = ['2025-11-18', '2025-11-19']) =>
  dates.flatMap((date) => tenants.map((tenant_id) => ({ tenant_id, date, query_count })));
const service = () => new UsageSyncService(billing, { ledger });
const outcomes = (results: { outcome: string }[]) => [...new Set(results.map(({ outcome }) => outcome))];

/** What Stripe would bill a tenant for the month. */
async function metered(tenantId: string): Promise<number> {
  const customer = (await billing.findCustomer(tenantId)) ?? '';
  const { data } = await stripe.billing.meters.listEventSummaries(meterId, {
    customer,
    start_time: start,
    end_time: end,
  });
  return data.reduce((sum, { aggregated_value }) => sum + aggregated_value, 0);
}

describe('syncDailyUsage()', () => {
  it('reports each day once, however often it runs', async () => {
    expect(outcomes(await service().syncDailyUsage(rowsOf(100)))).toEqual(['sent']);
    for (let run = 1; run <= 10; run += 1) {
      expect(outcomes(await service().syncDailyUsage(rowsOf(100)))).toEqual([
        'unchanged since the last time',
      ]);
    }
    for (const tenant of tenants) expect(await metered(tenant)).toBe(200);
  });

  it('replaces a total that changed, and one that went back to what it was', async () => {
    for (const total of [100, 120, 100]) {
      expect(outcomes(await service().syncDailyUsage(rowsOf(total)))).toEqual(['sent']);
      expect(await metered('acme-corp')).toBe(2 * total);
    }
  });

  it('is not misled by answers that were lost on a way there and back', async () => {
    // Every report arrives, and no answer comes back.
    local.faults = ({ path }) => (path === '/v1/billing/meter_events' ? 'lost_answer' : undefined);
    for (const total of [100, 120, 100]) await service().syncDailyUsage(rowsOf(total));
    local.faults = () => undefined;
    const results = await service().syncDailyUsage(rowsOf(100));
    expect(results.every(({ success }) => success)).toBe(true);
    expect(await metered('acme-corp')).toBe(200);
  });

  it('goes on with the others when one tenant fails, and tells why', async () => {
    const rows = [...rowsOf(5), { tenant_id: 'nobody', date: '2025-11-19', query_count: 1 }];
    const results = await service().syncDailyUsage(rows);
    expect(results.filter(({ success }) => !success)).toEqual([
      {
        tenant_id: 'nobody',
        date: '2025-11-19',
        query_count: 1,
        success: false,
        outcome: 'failed',
        error: 'Cannot bill nobody: it has no customer at Stripe; make one with createCustomer()',
      },
    ]);
    expect(await metered('charlie-co')).toBe(10);
    await billing.createCustomer({ tenantId: 'nobody', email: 'n@example.com', name: 'Now Somebody' });
    expect((await service().syncDailyUsage(rows)).at(-1)).toMatchObject({ success: true, outcome: 'sent' });
    expect(await metered('nobody')).toBe(1);
  });

  it('takes the last of two totals of one day', async () => {
    const day = { tenant_id: 'acme-corp', date: '2025-11-18' };
    await service().syncDailyUsage([
      { ...day, query_count: 5 },
      { ...day, query_count: 3 },
    ]);
    expect(await metered('acme-corp')).toBe(3);
  });

  it('slows down when Stripe asks for it', async () => {
    let refused = 0;
    local.faults = ({ path }) => {
      if (path !== '/v1/billing/meter_events' || refused === 6) return undefined;
      refused += 1;
      return 'rate_limited';
    };
    const patient = new UsageSyncService(billing, { ledger, backoffMs: 1 });
    expect(outcomes(await patient.syncDailyUsage(rowsOf(4)))).toEqual(['sent']);
    expect(refused).toBe(6);
    local.faults = ({ path }) => (path === '/v1/billing/meter_events' ? 'rate_limited' : undefined);
    const [first] = await patient.syncDailyUsage(rowsOf(5));
    expect(first).toMatchObject({ success: false, error: 'Request rate limit exceeded.' });
  });

  it('has one report of a customer under way at a time', async () => {
    const underWay = new Map<string, number>();
    let most = 0;
    const report = billing.reportUsage.bind(billing);
    billing.reportUsage = async (day) => {
      const now = (underWay.get(day.customerId) ?? 0) + 1;
      underWay.set(day.customerId, now);
      most = Math.max(most, now);
      await report(day).finally(() => underWay.set(day.customerId, now - 1));
    };
    await service().syncDailyUsage(rowsOf(1));
    expect([most, underWay.size]).toEqual([1, 3]);
  });

  it('reports a day that is not over', async () => {
    const today = { tenant_id: 'acme-corp', date: '2025-11-20', query_count: 7 };
    expect(await service().syncDailyUsage([today])).toMatchObject([{ success: true }]);
    expect(await service().syncDailyUsage([{ ...today, query_count: 9 }])).toMatchObject([{ success: true }]);
    expect(await metered('acme-corp')).toBe(9);
  });

  it('reports a day that is not over again when the answer was lost, however much later', async () => {
    const today = { tenant_id: 'acme-corp', date: '2025-11-20', query_count: 7 };
    const earlier = new StripeBillingManager(stripe, {
      catalogue: await ensureCatalogue(stripe),
      now: () => new Date(now.getTime() - 3_600_000),
    });
    local.faults = ({ path }) => (path === '/v1/billing/meter_events' ? 'lost_answer' : undefined);
    await new UsageSyncService(earlier, { ledger }).syncDailyUsage([today]);
    local.faults = () => undefined;
    const [result] = await service().syncDailyUsage([today]);
    expect(result).toMatchObject({ success: true });
    expect(await metered('acme-corp')).toBe(7);
  });

  it('refuses a day that has not begun', async () => {
    const [result] = await service().syncDailyUsage([
      { tenant_id: 'acme-corp', date: '2025-11-21', query_count: 7 },
    ]);
    expect(result).toMatchObject({
      success: false,
      error: 'Cannot report 2025-11-21: it is 2025-11-20T12:00:00.000Z',
    });
    expect(await metered('acme-corp')).toBe(0);
  });

  it('tells how far it is', async () => {
    const told: [number, number][] = [];
    const onProgress = (done: number, of: number) => void told.push([done, of]);
    await new UsageSyncService(billing, { ledger, onProgress }).syncDailyUsage(rowsOf(1));
    expect(told.at(-1)).toEqual([6, 6]);
  });
});
