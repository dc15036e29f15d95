import { beforeEach, describe, expect, it } from 'vitest';
import { differenceRows } from '../../src/billing/reconcile/difference.js';
import { planLinesOf } from '../../src/billing/reconcile/plan-lines-of.js';
import { readPlanPrices } from '../../src/billing/reconcile/plan-prices.js';
import { readInvoicedLines } from '../../src/billing/reconcile/read-invoiced-lines.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { repairDifferences } from '../../src/billing/reconcile/repair-differences.js';
import { makePlanInvoice } from '../../src/invoices/plan-invoice.js';
import { useWorlds, type World } from './reconciliation-world.js';

const newWorld = useWorlds();
let world: World;
beforeEach(async () => {
  world = await newWorld();
});

const rows = async () => differenceRows(await reconcile(world.books()));
const found = async () =>
  (await rows()).map(({ class: name, what, expected, found: there }) => [name, what, expected, there]);
const repairs = async () => (await rows()).map(({ repair }) => repair);
const upgrade = async (tenant: string, on: string) => {
  await world.billing.changePlan({ subscriptionId: world.subscriptionOf(tenant), planType: 'pro' });
  await world.record(tenant, on, { plan: 'pro' });
};

describe('planLinesOf()', () => {
  it('reads a month with an upgrade in the words of our plan invoice', async () => {
    await world.join('growing');
    await world.advance('2025-11-16T09:00:00Z');
    await world.use('growing', { '2025-11-10T00:00:00Z': 12_000 });
    await world.sync('2025-11');
    await upgrade('growing', '2025-11-16');
    await world.use('growing', { '2025-11-16T00:00:00Z': 5 });
    await world.advance('2025-11-20T09:00:00Z');
    await world.sync('2025-11');
    await world.advance('2025-12-02T00:00:00Z');
    const prices = await readPlanPrices(world.stripe, world.catalogue);
    const customer = (await world.billing.findCustomer('growing')) ?? '';
    const { data } = await world.stripe.invoices.list({ customer });
    const lines = data
      .flatMap((invoice) => planLinesOf(invoice, prices))
      .filter(({ month }) => month === '2025-11');
    const { invoice } = await makePlanInvoice(world.clickhouse, { tenantId: 'growing', month: '2025-11' });
    const told = (line: {
      kind: string;
      description: string;
      quantity: number;
      amount_cents: number;
      first_day: string;
      last_day: string;
    }) =>
      [line.kind, line.description, line.quantity, line.amount_cents, line.first_day, line.last_day].join(
        ' ',
      );
    expect(lines.map(told).sort()).toEqual(invoice.lines.map(told).sort());
    expect(lines).toHaveLength(6);
    const read = await readInvoicedLines(world.books(), { month: '2025-11' });
    expect(read.get('growing')).toEqual(lines);
  });
});

describe('invoices', () => {
  it('agree over months in which tenants come, change, go and come back', async () => {
    await world.join('early', 'starter', { trialDays: 14 });
    for (const tenant of ['leaver', 'without-credit']) await world.join(tenant, 'pro');
    await world.advance('2025-11-05T10:13:07Z');
    await world.join('late');
    await world.advance('2025-11-10T10:00:00Z');
    await world.use('leaver', { '2025-11-05T00:00:00Z': 150_000 });
    await world.sync('2025-11');
    await world.billing.cancelSubscription({
      subscriptionId: world.subscriptionOf('leaver'),
      atPeriodEnd: false,
    });
    await world.stripe.subscriptions.cancel(world.subscriptionOf('without-credit'), { invoice_now: true });
    for (const tenant of ['leaver', 'without-credit'])
      await world.record(tenant, world.now(), { plan: 'pro', state: 'deleted' });
    await world.advance('2025-11-17T10:00:00Z');
    for (const tenant of ['early', 'late']) await upgrade(tenant, '2025-11-17');
    const customerId = (await world.billing.findCustomer('leaver')) ?? '';
    await world.billing.createSubscription({ tenantId: 'leaver', customerId, planType: 'pro', trialDays: 0 });
    await world.record('leaver', world.now(), { plan: 'pro' });
    await world.advance('2025-11-20T10:00:00Z');
    await world.use('leaver', { '2025-11-19T00:00:00Z': 100_000 });
    await world.sync('2025-11');
    await world.advance('2025-12-01T09:00:00Z');
    expect(await found()).toEqual([]);
    await world.join('first', 'starter');
    await upgrade('late', '2025-12-01');
    await world.advance('2025-12-03T00:00:00Z');
    expect(await found()).toEqual([]);
  });

  it('lack a line, or have one too many', async () => {
    await world.join('hasty');
    await world.join('silent');
    await world.advance('2025-11-16T00:00:00Z');
    const subscriptionId = world.subscriptionOf('hasty');
    await world.billing.changePlan({ subscriptionId, planType: 'pro' });
    // Our side goes back at once, Stripe's only in name.
    const { starter } = world.catalogue.plans;
    const { items } = await world.stripe.subscriptions.retrieve(subscriptionId);
    await world.stripe.subscriptions.update(subscriptionId, {
      items: items.data.map(({ id, price }) => ({
        id,
        price: price.recurring?.usage_type === 'metered' ? starter.usagePriceId : starter.basePriceId,
      })),
      proration_behavior: 'none',
      metadata: { plan: 'starter' },
    });
    await world.record('silent', '2025-11-16', { plan: 'pro' });
    const silent = await world.stripe.subscriptions.retrieve(world.subscriptionOf('silent'));
    const { pro } = world.catalogue.plans;
    await world.stripe.subscriptions.update(silent.id, {
      items: silent.items.data.map(({ id, price }) => ({
        id,
        price: price.recurring?.usage_type === 'metered' ? pro.usagePriceId : pro.basePriceId,
      })),
      proration_behavior: 'none',
      metadata: { plan: 'pro' },
    });
    await world.advance('2025-11-16T09:00:00Z');
    expect(await found()).toEqual([
      ['extra', '2025-11: Unused time on starter after 2025-11-16 from 2025-11-16', '$0.00', '$-14.50'],
      ['extra', '2025-11: Remaining time on pro after 2025-11-16 from 2025-11-16', '$0.00', '$49.50'],
      ['missing', '2025-11: Unused time on starter after 2025-11-16 from 2025-11-16', '$-14.50', '$0.00'],
      ['missing', '2025-11: Remaining time on pro after 2025-11-16 from 2025-11-16', '$49.50', '$0.00'],
    ]);
    expect(await repairs()).toEqual([
      'charge $14.50 for 2025-11 on the next invoice',
      'credit $49.50 for 2025-11 on the next invoice',
      'credit $14.50 for 2025-11 on the next invoice',
      'charge $49.50 for 2025-11 on the next invoice',
    ]);
    await world.repairAll();
    expect(await found()).toEqual([]);
  });

  it('charge another amount, or the same twice', async () => {
    for (const tenant of ['two-seats', 'twice']) await world.join(tenant);
    const { items } = await world.stripe.subscriptions.retrieve(world.subscriptionOf('two-seats'));
    const quantity = (count: number) =>
      world.stripe.subscriptions.update(world.subscriptionOf('two-seats'), {
        items: [{ id: items.data[0]?.id ?? '', quantity: count }],
        proration_behavior: 'none',
      });
    await quantity(2);
    await world.advance('2025-12-01T00:00:00Z');
    await quantity(1);
    const twice = await world.stripe.subscriptions.retrieve(world.subscriptionOf('twice'));
    const { id } = await world.stripe.subscriptions.create({
      customer: String(twice.customer),
      items: twice.items.data.map(({ price }) => ({ price: price.id })),
      metadata: { tenant_id: 'twice', plan: 'starter' },
    });
    await world.stripe.subscriptions.cancel(id);
    await world.advance('2025-12-02T00:00:00Z');
    const line = '2025-11: starter base fee from 2025-12-01';
    expect(await found()).toEqual([
      ['duplicate', line, '$29.00', '$58.00'],
      ['amount', line, '$29.00', '$58.00'],
    ]);
    await world.repairAll();
    expect(await found()).toEqual([]);
    await world.advance('2026-01-02T00:00:00Z');
    const { latest_invoice: invoice } = await world.stripe.subscriptions.retrieve(twice.id);
    // The fee of January, for which the credit on the balance pays.
    const january = await world.stripe.invoices.retrieve(String(invoice));
    expect(january).toMatchObject({ total: 2_900, amount_due: 0 });
    expect(await found()).toEqual([]);
  });

  it('that somebody changed by hand are for a person', async () => {
    const subscription = await world.join('odd');
    const customer = (await world.billing.findCustomer('odd')) ?? '';
    world.local.failCard({ customer, from: new Date('2025-11-30'), until: new Date('2025-12-02') });
    await world.stripe.invoiceItems.create({
      customer,
      subscription,
      currency: 'usd',
      amount: 5_000,
      description: 'A day of training',
      period: { start: Date.parse('2025-11-12') / 1_000, end: Date.parse('2025-11-12') / 1_000 },
    });
    await world.advance('2025-12-02T00:00:00Z');
    const { latest_invoice: invoice } = await world.stripe.subscriptions.retrieve(subscription);
    expect(await found()).toEqual([
      ['extra', '2025-11: A day of training from 2025-11-12', '$0.00', '$50.00'],
    ]);
    expect(await repairs()).toEqual(['by hand: somebody put it there: A day of training']);
    await world.stripe.invoices.voidInvoice(String(invoice));
    expect(await found()).toEqual([
      ['missing', '2025-11: starter base fee from 2025-12-01', '$29.00', '$0.00'],
    ]);
    expect(await repairs()).toEqual([`by hand: somebody left ${invoice} void`]);
  });

  it('correct again what was corrected on an invoice that is void', async () => {
    await world.join('late');
    await world.advance('2025-12-05T00:00:00Z');
    await world.use('late', { '2025-11-06T10:00:00Z': 13_000 }, '2025-12-02T00:00:00Z');
    await world.repairAll();
    const customer = (await world.billing.findCustomer('late')) ?? '';
    world.local.failCard({ customer, from: new Date('2025-12-30'), until: new Date('2026-01-05') });
    await world.advance('2026-01-02T00:00:00Z');
    const [invoice] = (await world.stripe.invoices.list({ customer, status: 'open' })).data;
    await world.stripe.invoices.voidInvoice(invoice?.id ?? '');
    const months = { months: ['2025-11'] };
    const differences = await reconcile(world.books(), months);
    expect(differences).toMatchObject([{ class: 'late', amountCents: 300 }]);
    for (let run = 1; run <= 2; run += 1)
      await repairDifferences(differences, world.books(), { dryRun: false });
    const waiting = await world.stripe.invoiceItems.list({ customer, pending: true });
    expect(waiting.data.map(({ amount }) => amount)).toEqual([300]);
    expect(await reconcile(world.books(), months)).toEqual([]);
  });

  it.each([
    ['at once', '2025-11-16T09:00:01Z'],
    ['when Stripe has finalized what was empty', '2025-11-16T13:00:00Z'],
    ['when Stripe has forgotten the keys', '2025-11-18T00:00:00Z'],
  ])('are credited once by a try after one that was killed in the midst of it, %s', async (_, later) => {
    await world.join('twice');
    const { customer } = await world.stripe.subscriptions.retrieve(world.subscriptionOf('twice'));
    const { basePriceId } = world.catalogue.plans.starter;
    await world.advance('2025-11-16T00:00:00Z');
    const { id } = await world.stripe.subscriptions.create({
      customer: String(customer),
      items: [{ price: basePriceId }],
      billing_cycle_anchor: Date.parse('2025-12-01') / 1_000,
    });
    await world.stripe.subscriptions.cancel(id);
    await world.advance('2025-11-16T09:00:00Z');
    world.local.faults = ({ path, method }) =>
      method === 'POST' && path.endsWith('/invoiceitems') ? 'unavailable' : undefined;
    expect(await world.repairAll()).toMatchObject([{ outcome: 'failed' }]);
    world.local.faults = () => undefined;
    await world.advance(later);
    for (let run = 1; run <= 2; run += 1) await world.repairAll();
    expect(await found()).toEqual([]);
    expect(await world.stripe.customers.retrieve(String(customer))).toMatchObject({ balance: -1_450 });
    const { data } = await world.stripe.invoices.list({ status: 'draft' });
    expect(data).toEqual([]);
  });

  it('of a second customer that was subscribed by hand come back', async () => {
    const testClock = await world.clock.place();
    await world.join('twice');
    const { id } = await world.stripe.customers.create({
      metadata: { tenant_id: 'twice' },
      test_clock: testClock,
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    await world.advance('2025-11-16T00:00:00Z');
    const { basePriceId } = world.catalogue.plans.pro;
    await world.stripe.subscriptions.create({
      customer: id,
      items: [{ price: basePriceId }],
      billing_cycle_anchor: Date.parse('2025-12-01') / 1_000,
    });
    await world.advance('2025-11-16T09:00:00Z');
    expect((await rows()).map((row) => [row.class, row.repair])).toEqual([
      ['duplicate', expect.stringContaining('cancel sub_')],
      ['duplicate', `take the tenant's name off ${id}`],
      ['extra', 'credit $49.50 for 2025-11 on the next invoice'],
    ]);
    await world.repairAll();
    expect(await found()).toEqual([]);
  });
});
