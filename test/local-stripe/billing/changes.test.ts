import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});

async function subscribed(items: Stripe.SubscriptionCreateParams.Item[]) {
  const { id: customer } = await bench.customer();
  const sub = await bench.stripe.subscriptions.create({ customer, items });
  return { customer, id: sub.id, item: sub.items.data[0]?.id ?? '' };
}
const pending = async (customer: string) =>
  (await bench.stripe.invoiceItems.list({ customer, pending: true })).data
    .map(({ amount, description }) => [amount, description])
    .reverse();

describe('prorations', () => {
  it('wait for the next invoice', async () => {
    const [ten, twenty] = [await bench.monthly(1_000), await bench.monthly(2_000)];
    const { customer, id, item } = await subscribed([{ price: ten.id }]);
    await bench.advance('2025-11-16');
    await bench.stripe.subscriptions.update(id, { items: [{ id: item, price: twenty.id }] });
    expect(await pending(customer)).toEqual([
      [-500, 'Unused time on Pro after 16 Nov 2025'],
      [1_000, 'Remaining time on Pro after 16 Nov 2025'],
    ]);
    const [first] = (await bench.stripe.invoices.list({ customer })).data;
    const [, credit] = (await bench.stripe.invoiceItems.list({ customer })).data;
    expect(credit).toMatchObject({
      proration: true,
      discountable: false,
      pricing: { unit_amount_decimal: null, price_details: { price: ten.id } },
      proration_details: {
        credited_items: {
          invoice_line_item_details: { invoice: first?.id, invoice_line_items: [first?.lines.data[0]?.id] },
        },
      },
    });
    await bench.advance('2025-12-02');
    expect((await bench.latestInvoice(id)).total).toBe(2_000 - 500 + 1_000);
  });

  it('are none with proration_behavior none; a later credit is of what was billed', async () => {
    const [ten, eighteen] = [await bench.monthly(1_000), await bench.monthly(1_800)];
    const { customer, id, item } = await subscribed([{ price: ten.id }]);
    await bench.stripe.subscriptions.update(id, {
      items: [{ id: item, price: eighteen.id }],
      proration_behavior: 'none',
    });
    expect(await pending(customer)).toEqual([]);
    await bench.stripe.subscriptions.cancel(id, { prorate: true });
    expect(await pending(customer)).toEqual([[-1_000, 'Unused time on Pro after 01 Nov 2025']]);
  });

  it('round each line by itself, an exact half toward minus infinity', async () => {
    const [ten, eighteen] = [await bench.monthly(1_000), await bench.monthly(1_800)];
    const { customer, id, item } = await subscribed([{ price: ten.id }]);
    await bench.advance('2025-11-30T23:00:00Z');
    await bench.stripe.subscriptions.update(id, {
      items: [{ id: item, price: eighteen.id }],
      proration_date: at('2025-12-01') - 6_480,
    });
    expect((await pending(customer)).map(([amount]) => amount)).toEqual([-3, 4]);
  });

  it('of a quantity credit and charge the whole item', async () => {
    const ten = await bench.monthly(1_000);
    const { customer, id, item } = await subscribed([{ price: ten.id }]);
    await bench.advance('2025-11-30T23:00:00Z');
    await bench.stripe.subscriptions.update(id, {
      items: [{ id: item, quantity: 3 }],
      proration_date: at('2025-12-01') - 6_480,
    });
    expect(await pending(customer)).toEqual([
      [-3, 'Unused time on Pro after 30 Nov 2025'],
      [7, 'Remaining time on 3 × Pro after 30 Nov 2025'],
    ]);
  });

  it('of a second change go back to the first one’s lines', async () => {
    const [ten, twenty, thirty] = [
      await bench.monthly(1_000),
      await bench.monthly(2_000),
      await bench.monthly(3_000),
    ];
    const { id, item } = await subscribed([{ price: ten.id }]);
    for (const [day, price] of [
      ['2025-11-11', twenty],
      ['2025-11-21', thirty],
    ] as const) {
      await bench.advance(day);
      await bench.stripe.subscriptions.update(id, {
        items: [{ id: item, price: price.id }],
        proration_behavior: 'always_invoice',
      });
    }
    const [second, first] = (await bench.stripe.invoices.list({ subscription: id })).data;
    expect(second?.lines.data.map(({ amount }) => amount)).toEqual([-667, 1_000]);
    const details =
      second?.lines.data[0]?.parent?.subscription_item_details?.proration_details?.credited_items;
    expect(details).toEqual({ invoice: first?.id, invoice_line_items: [first?.lines.data[1]?.id] });
  });

  it.each(['void', 'mark_uncollectible'] as const)(
    'credit nothing of a period that was not paid for (%s)',
    async (behavior) => {
      const [ten, five] = [await bench.monthly(1_000), await bench.monthly(500)];
      const { customer, id, item } = await subscribed([{ price: ten.id }]);
      await bench.stripe.subscriptions.update(id, { pause_collection: { behavior } });
      await bench.advance('2025-12-02');
      await bench.stripe.subscriptions.update(id, {
        items: [{ id: item, price: five.id }],
        proration_date: at('2025-12-01'),
      });
      expect(await pending(customer)).toEqual([[500, 'Remaining time on Pro after 01 Dec 2025']]);
    },
  );

  it('of an invoice item that was written off with its credit go back to what was paid', async () => {
    const [ten, twenty] = [await bench.monthly(1_000), await bench.monthly(2_000)];
    const { customer, id, item } = await subscribed([{ price: ten.id }]);
    bench.local.failCard({ customer, from: new Date('2025-11-11'), until: new Date('2025-12-11') });
    await bench.advance('2025-11-11');
    const change = (price: string, proration_behavior: 'always_invoice' | 'create_prorations') =>
      bench.stripe.subscriptions.update(id, { items: [{ id: item, price }], proration_behavior });
    await change(twenty.id, 'always_invoice');
    await bench.stripe.invoices.voidInvoice((await bench.latestInvoice(id)).id ?? '');
    await change(ten.id, 'create_prorations');
    expect(await pending(customer)).toEqual([
      [-667, 'Unused time on Pro after 11 Nov 2025'],
      [667, 'Remaining time on Pro after 11 Nov 2025'],
    ]);
  });
});

describe('a change that begins the cycle anew', () => {
  it('with another interval bills at once', async () => {
    const { id, item } = await subscribed([{ price: (await bench.monthly(1_000)).id }]);
    await bench.advance('2025-11-16');
    const yearly = await bench.monthly(12_000, { recurring: { interval: 'year' } });
    const sub = await bench.stripe.subscriptions.update(id, { items: [{ id: item, price: yearly.id }] });
    expect(sub.billing_cycle_anchor).toBe(at('2025-11-16'));
    expect(sub.items.data[0]?.current_period_end).toBe(at('2026-11-16'));
    expect(await bench.latestInvoice(id)).toMatchObject({
      total: 12_000 - 500,
      status: 'paid',
      billing_reason: 'subscription_update',
    });
  });

  it('from free to paid bills at once', async () => {
    const { id, item } = await subscribed([{ price: (await bench.monthly(0)).id }]);
    await bench.advance('2025-11-16');
    const paid = await bench.monthly(1_000);
    await bench.stripe.subscriptions.update(id, { items: [{ id: item, price: paid.id }] });
    expect(await bench.latestInvoice(id)).toMatchObject({ total: 1_000, status: 'paid' });
  });

  it('bills usage so far', async () => {
    const [base, usage] = [await bench.monthly(1_000), await bench.tiered([['inf', '1']])];
    const { customer, id } = await subscribed([{ price: base.id }, { price: usage.id }]);
    await bench.use(customer, 30);
    await bench.advance('2025-11-16');
    const { items } = await bench.stripe.subscriptions.retrieve(id);
    const recurring = { interval: 'year', usage_type: 'metered', meter: bench.meter.id } as const;
    const yearly = [
      await bench.monthly(12_000, { recurring: { interval: 'year' } }),
      await bench.monthly(1, { recurring }),
    ];
    await bench.stripe.subscriptions.update(id, {
      items: yearly.map(({ id: price }, index) => ({ id: items.data[index]?.id ?? '', price })),
    });
    expect((await bench.linesOf(await bench.latestInvoice(id))).map(([amount]) => amount)).toEqual([
      -500, 12_000, 30,
    ]);
  });
});

describe('an upgrade that cannot be paid', () => {
  it('makes the subscription past_due', async () => {
    const { customer, id, item } = await subscribed([{ price: (await bench.monthly(1_000)).id }]);
    bench.local.failCard({ customer, from: new Date('2025-11-01'), until: new Date('2025-12-01') });
    const price = (await bench.monthly(2_000)).id;
    await bench.advance('2025-11-16');
    const sub = await bench.stripe.subscriptions.update(id, {
      items: [{ id: item, price }],
      proration_behavior: 'always_invoice',
    });
    expect(sub.status).toBe('past_due');
  });
});

describe('metered prices', () => {
  it('leave the first invoice out; a subscription of only such has none', async () => {
    const usage = await bench.tiered([['inf', '1']]);
    const { id } = await subscribed([{ price: usage.id }]);
    expect((await bench.stripe.subscriptions.retrieve(id)).latest_invoice).toBeNull();
    await bench.advance('2025-12-02');
    expect(await bench.latestInvoice(id)).toMatchObject({ total: 0, status: 'paid' });
  });

  it.each([
    ['create_prorations', [50], 7],
    ['none', [], 7],
  ] as const)(
    'swapped with %s: the old one’s usage, and a new allowance',
    async (proration_behavior, items, later) => {
      const [old, next] = [
        await bench.tiered([
          [10, '0'],
          ['inf', '1'],
        ]),
        await bench.tiered([
          [3, '0'],
          ['inf', '1'],
        ]),
      ];
      const { customer, id, item } = await subscribed([{ price: old.id }]);
      await bench.use(customer, 60);
      await bench.advance('2025-11-16');
      await bench.stripe.subscriptions.update(id, {
        items: [{ id: item, price: next.id }],
        proration_behavior,
      });
      expect((await pending(customer)).map(([amount]) => amount).filter(Boolean)).toEqual(items);
      await bench.use(customer, 10);
      await bench.advance('2025-12-02');
      expect((await bench.latestInvoice(id)).total).toBe(
        later + items.reduce<number>((sum, amount) => sum + amount, 0),
      );
    },
  );

  it('bill a period of negative usage as 0', async () => {
    bench = await openBench();
    const meter = await bench.stripe.billing.meters.create({
      display_name: 'Raw',
      event_name: 'raw',
      default_aggregation: { formula: 'sum' },
    });
    const usage = await bench.monthly(1, {
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    });
    const { customer, id } = await subscribed([{ price: usage.id }]);
    for (const value of ['5', '-8']) {
      await bench.stripe.billing.meterEvents.create({
        event_name: 'raw',
        payload: { stripe_customer_id: customer, value },
      });
    }
    await bench.advance('2025-12-02');
    expect(await bench.latestInvoice(id)).toMatchObject({ total: 0, lines: { data: [{ quantity: 0 }] } });
  });
});
