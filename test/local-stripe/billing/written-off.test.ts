import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let customer: string;
beforeEach(async () => {
  bench = await openBench({ retryDays: [60] });
  ({ id: customer } = await bench.customer());
});

async function subscribed(cents: number) {
  const { id: price } = await bench.monthly(cents);
  const { id, items } = await bench.stripe.subscriptions.create({ customer, items: [{ price }] });
  return { id, item: items.data[0]?.id ?? '' };
}
const fail = (from: string, until: string) =>
  bench.local.failCard({ customer, from: new Date(from), until: new Date(until) });
async function change(
  { id, item }: { id: string; item: string },
  price: Stripe.Price,
  proration_behavior: Stripe.SubscriptionUpdateParams.ProrationBehavior = 'always_invoice',
) {
  await bench.stripe.subscriptions.update(id, { items: [{ id: item, price: price.id }], proration_behavior });
  return (await bench.latestInvoice(id)).id ?? '';
}
const pending = async () =>
  (await bench.stripe.invoiceItems.list({ customer, pending: true })).data
    .map(({ amount }) => amount)
    .reverse();
/** A renewal of $31 on 1 December that is open, and on the 16th an upgrade to $62, open too. */
async function unpaidTwice() {
  const subscription = await subscribed(3_100);
  fail('2025-11-15', '2026-01-15');
  await bench.advance('2025-12-01T01:00:00Z');
  const renewal = (await bench.latestInvoice(subscription.id)).id ?? '';
  await bench.advance('2025-12-16');
  return { renewal, upgrade: await change(subscription, await bench.monthly(6_200)) };
}

describe('an upgrade that carried a credit for paid time', () => {
  it.each(['void', 'keep_as_draft', 'mark_uncollectible'] as const)(
    'is not collected while collection is paused: %s',
    async (behavior) => {
      const subscription = await subscribed(3_000);
      await bench.advance('2025-11-16');
      await bench.stripe.subscriptions.update(subscription.id, { pause_collection: { behavior } });
      await change(subscription, await bench.monthly(9_000));
      const status = { void: 'void', keep_as_draft: 'draft', mark_uncollectible: 'uncollectible' }[behavior];
      expect(await bench.latestInvoice(subscription.id)).toMatchObject({ status, amount_paid: 0 });
    },
  );

  it('leaves the paid time to be credited when it is void', async () => {
    const subscription = await subscribed(3_000);
    fail('2025-11-02', '2025-11-20');
    await bench.advance('2025-11-16');
    await bench.stripe.invoices.voidInvoice(await change(subscription, await bench.monthly(9_000)));
    await change(subscription, await bench.monthly(1_000), 'create_prorations');
    expect(await pending()).toEqual([-1_500, 500]);
  });

  it('leaves it with a new cycle too', async () => {
    const subscription = await subscribed(3_000);
    fail('2025-11-02', '2025-11-20');
    await bench.advance('2025-11-16');
    const yearly = await bench.monthly(90_000, { recurring: { interval: 'year' } });
    await bench.stripe.invoices.voidInvoice(await change(subscription, yearly));
    await bench.stripe.subscriptions.cancel(subscription.id, { prorate: true });
    expect(await pending()).toEqual([-1_500]);
  });
});

describe('the order in which invoices are written off', () => {
  it.each([true, false])('does not matter (renewal first: %s)', async (isFirst) => {
    const { renewal, upgrade } = await unpaidTwice();
    for (const id of isFirst ? [renewal, upgrade] : [upgrade, renewal]) {
      await bench.stripe.invoices.voidInvoice(id);
    }
    expect(await pending()).toEqual([]);
  });

  it('does not save a credit for what was not paid, on an invoice that is paid after all', async () => {
    const { renewal, upgrade } = await unpaidTwice();
    await bench.stripe.invoices.markUncollectible(upgrade);
    await bench.stripe.invoices.voidInvoice(renewal);
    await bench.advance('2026-01-16');
    await bench.stripe.invoices.pay(upgrade, { paid_out_of_band: true });
    expect(await pending()).toEqual([1_600]);
  });
});

describe('an uncollectible invoice that is paid after all', () => {
  it('gives back the credit that was taken back', async () => {
    const subscription = await subscribed(3_100);
    fail('2025-11-15', '2025-12-17');
    await bench.advance('2025-12-01T01:00:00Z');
    const renewal = (await bench.latestInvoice(subscription.id)).id ?? '';
    await bench.advance('2025-12-16');
    await change(subscription, await bench.monthly(1_550), 'create_prorations');
    await bench.stripe.invoices.markUncollectible(renewal);
    expect(await pending()).toEqual([-1_600, 800, 1_600]);
    await bench.advance('2025-12-18');
    await bench.stripe.invoices.pay(renewal);
    expect(await pending()).toEqual([-1_600, 800]);
  });

  it('is refused when its time was changed without a credit', async () => {
    const subscription = await subscribed(3_100);
    fail('2025-11-15', '2025-12-17');
    await bench.advance('2025-12-01T01:00:00Z');
    const renewal = (await bench.latestInvoice(subscription.id)).id ?? '';
    await bench.advance('2025-12-16');
    await bench.stripe.invoices.markUncollectible(renewal);
    await change(subscription, await bench.monthly(1_550), 'create_prorations');
    await expect(bench.stripe.invoices.pay(renewal)).rejects.toThrow('not supported by the local Stripe');
  });
});

describe('a metered price in place of a licensed one, with a new cycle', () => {
  it('does not have the same time credited again', async () => {
    const { id, item } = await subscribed(3_000);
    const recurring = { interval: 'year', usage_type: 'metered', meter: bench.meter.id } as const;
    const { id: price } = await bench.monthly(10, { recurring });
    await bench.advance('2025-11-16');
    await bench.stripe.subscriptions.update(id, { items: [{ id: item, price }] });
    await bench.advance('2025-11-19');
    await bench.stripe.subscriptions.cancel(id, { prorate: true });
    expect(await pending()).toEqual([]);
  });
});
