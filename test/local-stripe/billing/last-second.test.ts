import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let customer: string;
beforeEach(async () => {
  bench = await openBench();
  ({ id: customer } = await bench.customer());
});

const metered = (cents: string) => bench.tiered([['inf', cents]]);
const subscribe = (...prices: Stripe.Price[]) =>
  bench.stripe.subscriptions.create({ customer, items: prices.map(({ id: price }) => ({ price })) });
/** All that was billed and is not free, oldest first. */
const billed = async () => {
  const { data } = await bench.stripe.invoices.list({ customer });
  return data.flatMap(({ lines }) => lines.data.map(({ amount }) => amount)).filter((amount) => amount !== 0);
};

describe('usage in the second of a cancellation', () => {
  it('is on the last invoice', async () => {
    const { id } = await subscribe(await metered('10'));
    await bench.advance('2025-11-08');
    await bench.use(customer, 1_000);
    await bench.stripe.subscriptions.cancel(id, { invoice_now: true });
    expect((await bench.latestInvoice(id)).total).toBe(10_000);
  });

  it('is not billed again by a subscription that begins in it; what is used then is', async () => {
    const price = await metered('10');
    const { id } = await subscribe(price);
    await bench.advance('2025-11-08');
    await bench.use(customer, 1_000);
    await bench.stripe.subscriptions.cancel(id, { invoice_now: true });
    await subscribe(price);
    await bench.advance('2025-11-09');
    await bench.use(customer, 7);
    await bench.advance('2025-12-09');
    expect(await billed()).toEqual([70, 10_000]);
  });
});

describe('usage in the second of a change', () => {
  it('is billed with a metered item that is deleted', async () => {
    const { items } = await subscribe(await bench.monthly(3_000), await metered('10'));
    await bench.advance('2025-11-08');
    await bench.use(customer, 1_000);
    const always = { proration_behavior: 'always_invoice' } as const;
    await bench.stripe.subscriptionItems.del(items.data[1]?.id ?? '', always);
    await bench.advance('2025-12-02');
    expect(await billed()).toEqual([3_000, 10_000, 3_000]);
  });

  it('is billed once when another price goes on counting', async () => {
    const { id, items } = await subscribe(await metered('10'));
    const { id: price } = await metered('20');
    await bench.advance('2025-11-08');
    await bench.use(customer, 1_000);
    await bench.stripe.subscriptions.update(id, {
      items: [{ id: items.data[0]?.id ?? '', deleted: true }, { price }],
    });
    await bench.advance('2025-12-02');
    expect(await billed()).toEqual([20_000]);
  });

  it('is not billed for a price that goes with another interval and without prorations', async () => {
    const { id, items } = await subscribe(await metered('10'));
    const { id: price } = await bench.monthly(5_000, { recurring: { interval: 'year' } });
    await bench.use(customer, 1_000);
    await bench.advance('2025-11-08');
    const change = { items: [{ id: items.data[0]?.id ?? '', price }], proration_behavior: 'none' as const };
    await bench.stripe.subscriptions.update(id, change);
    expect(await billed()).toEqual([5_000]);
  });
});

describe('usage that no invoice could bill', () => {
  it('is refused, and the clock goes on', async () => {
    await subscribe(await metered('99999999'));
    await expect(bench.use(customer, '999999999999999')).rejects.toMatchObject({ code: 'amount_too_large' });
    for (const _ of [1, 2]) await bench.use(customer, 40_000);
    await expect(bench.use(customer, 40_000)).rejects.toMatchObject({ statusCode: 400 });
    await bench.advance('2025-12-02');
  });

  it('is refused to a price that is chosen later', async () => {
    await bench.use(customer, '999999999999999');
    await expect(subscribe(await metered('100'))).rejects.toMatchObject({ code: 'amount_too_large' });
  });
});
