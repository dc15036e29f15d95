import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openReportLedger, type ReportLedger } from '../../src/billing/report-ledger.js';
import { UsageSyncService } from '../../src/billing/usage-sync.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { ACME, type ManagerWorld, managerWorld } from './manager-world.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let world: ManagerWorld;
let ledger: ReportLedger;
beforeEach(async () => {
  await engine.command('DROP TABLE IF EXISTS usage_reports');
  ledger = await openReportLedger(engine.clickhouse);
  world = await managerWorld('2025-11-20T12:00:00Z');
});

const row = { tenant_id: 'acme-corp', date: '2025-11-19', query_count: 100 };
/** As the server has it: one manager for all its life. */
const sync = (...rows: object[]) =>
  new UsageSyncService(world.billing, { ledger }).syncDailyUsage(
    (rows.length === 0 ? [row] : rows) as (typeof row)[],
  );
const outcomes = async (...rows: object[]) => (await sync(...rows)).map(({ outcome }) => outcome);

async function metered(customer: string): Promise<number> {
  const { data } = await world.stripe.billing.meters.listEventSummaries(world.catalogue.meterId, {
    customer,
    start_time: Date.parse('2025-11-01') / 1_000,
    end_time: Date.parse('2025-12-01') / 1_000,
  });
  return data.reduce((sum, { aggregated_value }) => sum + aggregated_value, 0);
}

/** Another process detaches the customer, or puts its name back. */
const name = (customer: string, tenant_id: string) =>
  world.stripe.customers.update(customer, { metadata: { tenant_id } });

describe('syncDailyUsage() of a tenant with another customer', () => {
  it.each([
    ['alone', [row]],
    ['among others', [row, { ...row, tenant_id: 'beta-inc' }]],
  ])('sends its days to the new one, %s', async (_, rows) => {
    await world.billing.createCustomer({ tenantId: 'beta-inc', email: 'b@beta.example', name: 'Beta' });
    await sync(...rows);
    await name(world.customerId, '');
    const customer = await world.manager().createCustomer(ACME);
    expect((await outcomes(...rows))[0]).toBe('sent');
    expect((await outcomes(...rows))[0]).toBe('unchanged since the last time');
    expect(await metered(customer)).toBe(100);
  });

  it('sends them to the first one again when it comes back', async () => {
    await sync();
    await name(world.customerId, '');
    const other = await world.manager().createCustomer(ACME);
    await sync({ ...row, query_count: 120 });
    await name(other, '');
    await name(world.customerId, 'acme-corp');
    expect(await outcomes({ ...row, query_count: 120 })).toEqual(['sent']);
    expect([await metered(world.customerId), await metered(other)]).toEqual([120, 120]);
  });

  it('sends once more what was written down before customers were', async () => {
    await sync();
    await engine.command('ALTER TABLE usage_reports DROP COLUMN customer_id');
    ledger = await openReportLedger(engine.clickhouse);
    expect(await outcomes()).toEqual(['sent']);
    expect(await outcomes()).toEqual(['unchanged since the last time']);
    expect(await metered(world.customerId)).toBe(100);
  });
});

describe('a row that is wrong', () => {
  it.each([-5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '12'])(
    'with a count of %s is refused, and nothing is sent',
    async (query_count) => {
      await expect(sync(row, { ...row, query_count })).rejects.toMatchObject({
        name: 'InvalidInputError',
        field: 'query_count',
      });
      expect(await metered(world.customerId)).toBe(0);
      expect(await ledger.newest([row])).toEqual(new Map());
    },
  );

  it('names its day or tenant', async () => {
    await expect(sync({ ...row, date: '2025-02-30' })).rejects.toMatchObject({ field: 'date' });
    await expect(sync({ ...row, tenant_id: 'Acme Corp' })).rejects.toMatchObject({ field: 'tenant_id' });
  });

  it('is refused by reportUsage() too', async () => {
    const report = { customerId: world.customerId, date: '2025-11-19', revision: 1 };
    await expect(world.billing.reportUsage({ ...report, query_count: -1 })).rejects.toThrow(
      'Cannot accept usage report: query_count must be a whole number of at least 0, current value is -1',
    );
  });

  it('with another tenant’s subscription fails', async () => {
    const { billing } = world;
    const contact = { tenantId: 'beta-inc', email: 'b@beta.example', name: 'Beta' };
    const customerId = await billing.createCustomer(contact);
    const request = { customerId, planType: 'pro', tenantId: 'beta-inc' } as const;
    const { subscriptionId: subscription_id } = await billing.createSubscription(request);
    const own = { ...row, tenant_id: 'beta-inc', subscription_id };
    expect(await sync(own, { ...row, subscription_id })).toMatchObject([
      { outcome: 'sent' },
      { error: `Cannot bill acme-corp by subscription ${subscription_id}: it is beta-inc's` },
    ]);
    expect(await metered(customerId)).toBe(100);
  });
});
