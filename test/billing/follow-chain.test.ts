import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BilledMonth, billSampleMonth } from '../../src/billing/bill-sample-month.js';
import { followChain } from '../../src/billing/follow-chain.js';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { loadSampleMonth } from '../../src/metering/sample-month.js';
import { ACCOUNT_SETTINGS } from '../../src/services/stripe.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

const month = '2025-11';
const stripe = createLocalStripe({ ...ACCOUNT_SETTINGS, seed: 'chain' }).client();
let engine: Embedded;
let billed: BilledMonth;
let tenantIds: string[];
beforeAll(async () => {
  engine = await openEmbedded();
  const { tenants } = await loadSampleMonth(engine.clickhouse, { events: 105_000 });
  tenantIds = tenants.map(({ tenantId }) => tenantId);
  billed = await billSampleMonth(engine.clickhouse, stripe, { tenants });
});
afterAll(() => engine.close());

const follow = (ids = tenantIds) => followChain(billed, { month, tenantIds: ids });

describe('the chain of the sample month', () => {
  it('has no difference in any hop of any of its 53 tenants', async () => {
    const rows = await follow();
    expect(rows).toHaveLength(53);
    expect(rows.filter(({ differences }) => differences !== 0)).toEqual([]);
  });

  it('has none either when the month is billed again, to new customers', async () => {
    const { tenants } = await loadSampleMonth(engine.clickhouse, { events: 105_000 });
    const some = tenants.filter(({ tenantId }) => ['acme-corp', 'delta-labs'].includes(tenantId));
    const again = await billSampleMonth(engine.clickhouse, stripe, { tenants: some });
    const rows = await followChain(again, { month, tenantIds: some.map(({ tenantId }) => tenantId) });
    expect(rows.map(({ tenant, differences }) => [tenant, differences])).toEqual([
      ['acme-corp', 0],
      ['delta-labs', 0],
    ]);
  });

  it('has the figures of the course', async () => {
    expect(await follow(['acme-corp', 'beta-inc', 'charlie-co', 'delta-labs', 'echo-trial'])).toMatchObject([
      {
        tenant: 'acme-corp',
        events: 28_450,
        rollup: 28_450,
        csv: 28_450,
        meter: 28_450,
        stripeLines: 28_450,
        costOfEvents: '47.22999700',
        costOfRollup: '47.22999700',
        costInvoice: '47.22999700',
        costInCsv: '47.23',
        planInvoice: '47.45',
        stripeInvoice: '47.45',
      },
      { tenant: 'beta-inc', events: 8_320, costInCsv: '15.67', stripeInvoice: '29.00' },
      { tenant: 'charlie-co', events: 52_100, costInCsv: '82.41', stripeInvoice: '99.00' },
      // The plan changed on the 16th: −14.50, +49.50, and December's fee.
      { tenant: 'delta-labs', events: 12_000, stripeInvoice: '134.00' },
      { tenant: 'echo-trial', events: 0, stripeInvoice: '0.00' },
    ]);
  });

  it('shows a difference at each hop that comes off', async () => {
    const { clickhouse } = engine;
    // A query that nobody reported to Stripe, and that was billed by nobody.
    await storeBatch(clickhouse, [eventOf({ tenantId: 'acme-corp' })]);
    const [acme] = await follow(['acme-corp']);
    expect(acme).toMatchObject({
      events: 28_451,
      rollup: 28_451,
      csv: 28_451,
      meter: 28_450,
      stripeLines: 28_450,
    });
    // The meter, the sum of Stripe's lines, the amount of $0.001 that rounds to nothing, and the line.
    expect(acme?.differences).toBeGreaterThanOrEqual(3);

    await engine.command(
      `ALTER TABLE usage_daily DELETE WHERE tenant_id = 'beta-inc' SETTINGS mutations_sync = 1`,
    );
    const [beta] = await follow(['beta-inc']);
    expect(beta).toMatchObject({ rollup: 0, costOfRollup: '0.00000000', differences: 2 });

    const customer = await billed.billing.customerFor({ tenantId: 'charlie-co' });
    const item = { customer, amount: 100, currency: 'usd', description: 'by hand' };
    await stripe.invoiceItems.create({ ...item, period: { start: 1_763_000_000, end: 1_763_000_000 } });
    const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    expect(draft.total).toBe(100);
    const [charlie] = await follow(['charlie-co']);
    expect(charlie).toMatchObject({ planInvoice: '99.00', stripeInvoice: '100.00', differences: 2 });
  });
});
