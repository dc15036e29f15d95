import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench({ clockLimits: false });
});

const DOCUMENTED: [number | 'inf', string][] = [
  [5, '700'],
  [10, '650'],
  ['inf', '600'],
];

describe('tiers, as in Stripe’s documentation', () => {
  it.each([
    ['graduated', 1, 700],
    ['graduated', 5, 3_500],
    ['graduated', 6, 4_150],
    ['graduated', 20, 12_750],
    ['graduated', 25, 15_750],
    ['volume', 5, 3_500],
    ['volume', 6, 3_900],
    ['volume', 20, 12_000],
    ['volume', 25, 15_000],
  ] as const)('bills %s %i units as %i cents', async (mode, quantity, cents) => {
    const price = await bench.tiered(DOCUMENTED, mode);
    const { id: customer } = await bench.customer(null);
    const { id } = await bench.stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
    await bench.use(customer, quantity);
    expect((await bench.stripe.invoices.createPreview({ subscription: id })).total).toBe(cents);
  });

  it('has a line for each tier that is reached', async () => {
    const price = await bench.tiered(DOCUMENTED);
    const { id: customer } = await bench.customer();
    const { id } = await bench.stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
    await bench.use(customer, 6);
    await bench.advance('2025-12-01T02:00:00Z');
    expect(await bench.linesOf(await bench.latestInvoice(id))).toEqual([
      [3_500, '5 × Pro (Tier 1 at $7.00 / month)'],
      [650, '1 × Pro (Tier 2 at $6.50 / month)'],
    ]);
  });
});

describe('prorations', () => {
  it('splits 10 USD → 20 USD at half the period into −500 and +1000', async () => {
    const [ten, twenty] = [await bench.monthly(1_000), await bench.monthly(2_000)];
    const { id: customer } = await bench.customer();
    const sub = await bench.stripe.subscriptions.create({ customer, items: [{ price: ten.id }] });
    await bench.advance('2025-11-16');
    const items = [{ id: sub.items.data[0]?.id ?? '', price: twenty.id }];
    const updated = await bench.stripe.subscriptions.update(sub.id, {
      items,
      proration_behavior: 'always_invoice',
    });
    const invoice = await bench.stripe.invoices.retrieve(updated.latest_invoice as string);
    expect(await bench.linesOf(invoice)).toEqual([
      [-500, 'Unused time on Pro after 16 Nov 2025'],
      [1_000, 'Remaining time on Pro after 16 Nov 2025'],
    ]);
    expect(invoice).toMatchObject({
      total: 500,
      status: 'paid',
      amount_paid: 500,
      billing_reason: 'subscription_update',
    });
  });

  it('gives −166 and +541 for 1000 → 3252, as in Stripe’s preview', async () => {
    const start = new Date(1_596_749_288_000).toISOString();
    bench = await openBench({ start, now: () => new Date(start) });
    const [old, next] = [await bench.monthly(1_000), await bench.monthly(3_252)];
    const { id: customer } = await bench.customer();
    const sub = await bench.stripe.subscriptions.create({ customer, items: [{ price: old.id }] });
    const [item] = sub.items.data;
    expect([item?.current_period_start, item?.current_period_end]).toEqual([1_596_749_288, 1_599_427_688]);
    const preview = await bench.stripe.invoices.createPreview({
      subscription: sub.id,
      subscription_details: {
        items: [{ id: item?.id ?? '', price: next.id }],
        proration_behavior: 'always_invoice',
        proration_date: 1_598_982_148,
      },
    });
    expect(preview.lines.data.map(({ amount }) => amount)).toEqual([-166, 541]);
    expect((await bench.stripe.invoiceItems.list({ customer })).data).toEqual([]);
  });

  it('gives −667 and +333 for 2000 → 1000 with a third left; the credit goes to the balance', async () => {
    const [old, next] = [await bench.monthly(2_000), await bench.monthly(1_000)];
    const { id: customer } = await bench.customer();
    const sub = await bench.stripe.subscriptions.create({ customer, items: [{ price: old.id }] });
    await bench.advance('2025-11-21');
    const updated = await bench.stripe.subscriptions.update(sub.id, {
      items: [{ id: sub.items.data[0]?.id ?? '', price: next.id }],
      proration_behavior: 'always_invoice',
      proration_date: at('2025-12-01') - 864_000,
      expand: ['latest_invoice'],
    });
    const invoice = updated.latest_invoice as Stripe.Invoice;
    expect(invoice.lines.data.map(({ amount }) => amount)).toEqual([-667, 333]);
    expect(invoice).toMatchObject({
      total: -334,
      status: 'paid',
      amount_due: 0,
      attempted: true,
      attempt_count: 0,
      ending_balance: -334,
    });
    expect((await bench.stripe.customers.retrieve(customer)) as object).toMatchObject({ balance: -334 });
    const [transaction] = (await bench.stripe.customers.listBalanceTransactions(customer)).data;
    expect(transaction).toMatchObject({ amount: -334, type: 'applied_to_invoice', invoice: invoice.id });
  });
});

describe('the course’s example', () => {
  it('bills pro with 125,000 queries as $119.00', async () => {
    const [base, usage] = [
      await bench.monthly(9_900),
      await bench.tiered([
        [100_000, '0'],
        ['inf', '0.08'],
      ]),
    ];
    const { id: customer } = await bench.customer();
    const sub = await bench.stripe.subscriptions.create({
      customer,
      items: [{ price: base.id }, { price: usage.id }],
    });
    await bench.use(customer, 125_000, '2025-11-01');
    await bench.advance('2025-12-01T01:00:00Z');
    expect(await bench.latestInvoice(sub.id)).toMatchObject({ total: 11_900, status: 'paid' });
  });
});
