import { beforeEach, describe, expect, it } from 'vitest';
import { METER_EVENT_NAME } from '../../src/billing/catalogue.js';
import { followChain } from '../../src/billing/follow-chain.js';
import { type Difference, differenceRows } from '../../src/billing/reconcile/difference.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { repairDifferences } from '../../src/billing/reconcile/repair-differences.js';
import { reportBeforeChange } from '../../src/billing/report-days.js';
import { at } from '../support/local-stripe.js';
import { useWorlds, type World } from './reconciliation-world.js';

const newWorld = useWorlds();
let world: World;
beforeEach(async () => {
  world = await newWorld();
  await world.join('acme-corp');
});

const months = { months: ['2025-11'] };
const found = async (some = months) => differenceRows(await reconcile(world.books(), some));
/** A report of another sender. */
const report = async (day: string, value: number) =>
  world.stripe.billing.meterEvents.create({
    event_name: METER_EVENT_NAME,
    payload: {
      stripe_customer_id: (await world.billing.findCustomer('acme-corp')) ?? '',
      value: String(value),
    },
    timestamp: at(`${day}T23:59:59Z`),
  });

describe('usage of a day that is not invoiced', () => {
  beforeEach(async () => {
    await world.advance('2025-11-20T10:00:00Z');
    await world.use('acme-corp', { '2025-11-18T10:00:00Z': 400 });
  });

  it.each([
    ['missing', undefined, '2025-11-18', 400, 0],
    ['extra', ['2025-11-17', 70], '2025-11-17', 0, 70],
    ['duplicate', ['2025-11-18', 800], '2025-11-18', 400, 800],
    ['amount', ['2025-11-18', 401], '2025-11-18', 400, 401],
  ] as const)('that is %s is found, and reported again', async (name, wrong, day, expected, there) => {
    if (wrong) {
      await world.sync('2025-11');
      await report(wrong[0], wrong[1]);
    }
    expect(await found()).toEqual([
      {
        subject: 'usage',
        class: name,
        tenant: 'acme-corp',
        what: `queries of ${day}`,
        expected,
        found: there,
        repair: `report ${expected} queries of ${day} again`,
      },
    ]);
    expect(await world.repairAll()).toMatchObject([{ outcome: 'done' }]);
    expect(await found()).toEqual([]);
  });

  it('is left out while the day is not over', async () => {
    await world.sync('2025-11');
    await world.use('acme-corp', { '2025-11-20T09:00:00Z': 5 });
    expect(await found()).toEqual([]);
  });

  it('is not reported again to a meter that adds up', async () => {
    const { stripe, catalogue } = world;
    const { data } = await stripe.billing.meters.list();
    const adding = await stripe.billing.meters.create({
      display_name: 'Queries',
      event_name: 'added_up',
      default_aggregation: { formula: 'sum' },
    });
    expect(data.map(({ event_time_window }) => event_time_window)).toEqual(['day']);
    const books = { ...world.books(), catalogue: { ...catalogue, meterId: adding.id } };
    const [result] = await repairDifferences(await reconcile(books), books, { dryRun: false });
    expect(result).toMatchObject({
      outcome: 'failed',
      error: 'Cannot report usage again: the meter adds up what it gets; make one with a window of a day',
    });
  });

  it('of a tenant without a customer is for a person', async () => {
    await world.sync('2025-11');
    await world.use('nobody', { '2025-11-18T10:00:00Z': 3 });
    expect(await found()).toMatchObject([
      { class: 'missing', tenant: 'nobody', repair: 'by hand: it has no customer at Stripe' },
    ]);
    expect(await world.repairAll()).toMatchObject([{ outcome: 'left to a person' }]);
  });

  it('that Stripe would not take any more is for a person', async () => {
    await world.join('trying', 'starter', { trialDays: 40 });
    await world.use('trying', { '2025-11-19T10:00:00Z': 3 });
    await world.sync('2025-11');
    await world.advance('2025-12-27T00:00:00Z');
    await world.use('trying', { '2025-11-19T11:00:00Z': 3 }, '2025-12-01T00:00:00Z');
    const [row] = await found();
    expect(row?.repair).toBe('by hand: Stripe takes usage of the last 35 days, and nothing bills this day');
  });
});

describe('usage that came after the invoice', () => {
  beforeEach(async () => {
    await world.advance('2025-11-20T10:00:00Z');
    await world.use('acme-corp', { '2025-11-18T10:00:00Z': 9_000 });
    await world.sync('2025-11');
    await world.advance('2025-12-01T00:30:00Z');
  });

  it('of Stripe still goes to the meter while the invoice is a draft', async () => {
    await world.use('acme-corp', { '2025-11-30T10:00:00Z': 2_000 });
    expect(await found()).toMatchObject([{ class: 'missing', what: 'queries of 2025-11-30' }]);
    await world.repairAll();
    await world.advance('2025-12-02T00:00:00Z');
    expect(await found()).toEqual([]);
  });

  it('goes on the next invoice, and is billed by what the month would have cost more', async () => {
    await world.advance('2025-12-02T00:00:00Z');
    await world.use('acme-corp', { '2025-11-30T10:00:00Z': 2_000 }, '2025-12-02T00:00:00Z');
    expect(await found()).toEqual([
      {
        subject: 'usage',
        class: 'late',
        tenant: 'acme-corp',
        what: 'queries of 2025-11-01, $1.00 too little',
        expected: 11_000,
        found: 9_000,
        repair: 'charge $1.00 for 2025-11 on the next invoice',
      },
    ]);
    await world.repairAll();
    expect(await found()).toEqual([]);
    await world.advance('2026-01-01T02:00:00Z');
    const { latest_invoice: id } = await world.stripe.subscriptions.retrieve(
      world.subscriptionOf('acme-corp'),
    );
    const { lines, status } = await world.stripe.invoices.retrieve(String(id));
    expect(status).toBe('paid');
    expect(lines.data.map(({ amount, description }) => [amount, description])).toContainEqual([
      100,
      'starter queries, corrected for 2025-11',
    ]);
    expect(await found()).toEqual([]);
    expect(await found({ months: ['2025-12'] })).toEqual([]);
  });

  it('and is included is written down once, for nothing', async () => {
    await world.advance('2025-12-02T00:00:00Z');
    await world.use('acme-corp', { '2025-11-30T10:00:00Z': 100 }, '2025-12-02T00:00:00Z');
    const invoices = async () => (await world.stripe.invoices.list()).data.length;
    const before = await invoices();
    const differences = await reconcile(world.books());
    expect(differences).toMatchObject([{ class: 'late', expected: 9_100, found: 9_000, amountCents: 0 }]);
    expect(differenceRows(differences)).toMatchObject([
      {
        what: 'queries of 2025-11-01',
        repair: 'enter 100 queries for 2025-11, free of charge, on the next invoice',
      },
    ]);
    for (let run = 1; run <= 2; run += 1) {
      const results = await repairDifferences(differences, world.books(), { dryRun: false });
      expect(results).toMatchObject([{ outcome: 'done' }]);
    }
    expect(await found()).toEqual([]);
    const { data } = await world.stripe.invoiceItems.list({ pending: true });
    expect([data.map(({ amount }) => amount), await invoices()]).toEqual([[0], before]);
    await world.advance('2026-01-02T00:00:00Z');
    expect([await found(), await found({ months: ['2025-12'] })]).toEqual([[], []]);
    const paid = (await world.stripe.invoices.list()).data.map(({ status, total }) => [status, total]);
    expect(paid).toEqual(Array.from({ length: before + 1 }, () => ['paid', 2_900]));
  });

  it('and waits for an invoice of a subscription that has ended is billed by nobody', async () => {
    await world.advance('2025-12-02T00:00:00Z');
    await world.use('acme-corp', { '2025-11-30T10:00:00Z': 3_000 }, '2025-12-02T00:00:00Z');
    await world.repairAll();
    expect(await found()).toEqual([]);
    // In Stripe's dashboard.
    const subscription = world.subscriptionOf('acme-corp');
    await world.stripe.subscriptions.cancel(subscription, { invoice_now: false, prorate: false });
    await world.follow('acme-corp');
    const left = {
      class: 'late',
      what: 'queries of 2025-11-01, $2.00 too little',
      expected: 12_000,
      found: 9_000,
      repair: 'by hand: without a subscription there is no next invoice',
    };
    expect(await found()).toMatchObject([left]);
    await world.advance('2026-01-05T00:00:00Z');
    expect(await found()).toMatchObject([left]);
    // Back, the tenant pays it with the first invoice, and once.
    const customerId = (await world.billing.findCustomer('acme-corp')) ?? '';
    const wanted = { customerId, tenantId: 'acme-corp', planType: 'starter', trialDays: 14 } as const;
    await world.billing.createSubscription(wanted);
    await world.follow('acme-corp');
    expect(await found()).toEqual([]);
    await world.advance('2026-02-02T00:00:00Z');
    expect(await found()).toEqual([]);
    const lines = (await world.stripe.invoices.list({ customer: customerId })).data.flatMap(
      (invoice) => invoice.lines.data,
    );
    expect(lines.filter(({ metadata }) => metadata.correction).map(({ amount }) => amount)).toEqual([200]);
  });

  it('and after ours is a line of the month that is open', async () => {
    await world.advance('2025-12-10T00:00:00Z');
    await world.use('acme-corp', { '2025-11-30T10:00:00Z': 2_000 }, '2025-12-09T00:00:00Z');
    expect(await found()).toEqual([]);
    const december = { months: ['2025-12'] };
    expect(await found(december)).toMatchObject([
      { class: 'late', expected: 2_000, found: 0, repair: 'charge $1.00 for 2025-12 on the next invoice' },
    ]);
    await world.repairAll();
    expect(await found(december)).toEqual([]);
  });

  it('is corrected once, whoever repairs the same list twice, and again when more comes', async () => {
    await world.advance('2025-12-02T00:00:00Z');
    const differences: Difference[] = [];
    for (const [hour, queries] of [
      [1, 2_000],
      [2, 500],
    ] as const) {
      await world.use('acme-corp', { [`2025-11-30T0${hour}:00:00Z`]: queries }, '2025-12-02T00:00:00Z');
      differences.push(...(await reconcile(world.books())));
      await repairDifferences(differences, world.books(), { dryRun: false });
    }
    // Stripe has forgotten the idempotency keys by then.
    await world.advance('2025-12-04T00:00:00Z');
    await repairDifferences(differences, world.books(), { dryRun: false });
    expect(await found()).toEqual([]);
    const { data } = await world.stripe.invoiceItems.list({ pending: true });
    expect(data.map(({ amount }) => amount).sort()).toEqual([100, 50]);
  });
});

it.each([
  ['some hours later', '2025-11-10T12:00:00Z', 1_000],
  ['some hours later, and used nothing more', '2025-11-10T12:00:00Z', 0],
  ['within one second', '2025-11-10T08:00:00Z', 1_000],
  ['within one second, and used nothing more', '2025-11-10T08:00:00Z', 0],
])('of a day on which the tenant left and came back %s is billed once', async (_, cameBack, since) => {
  const subscriptionId = world.subscriptionOf('acme-corp');
  const customerId = (await world.billing.findCustomer('acme-corp')) ?? '';
  await world.advance('2025-11-10T08:00:00Z');
  await world.use('acme-corp', { '2025-11-10T05:00:00Z': 15_000 });
  await reportBeforeChange(world.books(), { tenantId: 'acme-corp', kind: 'end' });
  await world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
  await world.follow('acme-corp');
  await world.advance(cameBack);
  const wanted = { customerId, tenantId: 'acme-corp', planType: 'starter', trialDays: 0 } as const;
  await world.billing.createSubscription(wanted);
  await world.follow('acme-corp');
  await world.advance('2025-11-12T01:00:00Z');
  if (since) await world.use('acme-corp', { '2025-11-10T15:00:00Z': since });
  await world.use('acme-corp', { '2025-11-11T00:00:00Z': 10 });
  await world.sync('2025-11');
  expect(await found()).toEqual([]);
  await world.advance('2025-12-02T00:00:00Z');
  expect(await found()).toEqual([]);
  const lines = (await world.billing.invoicesOf(customerId)).flatMap((invoice) => invoice.lines);
  const queries = lines.filter(({ description }) => description.includes('(Tier'));
  expect(queries.map(({ quantity }) => quantity)).toEqual([10_000, 5_000, since + 10]);
  const [chain] = await followChain(world.books(), { month: '2025-11', tenantIds: ['acme-corp'] });
  // The credit and the fee of the day, which a plan invoice has no line for; within a second they cancel out.
  const differences = cameBack === '2025-11-10T08:00:00Z' ? 2 : 3;
  expect(chain).toMatchObject({ events: 15_010 + since, meter: since + 10, differences });
});
