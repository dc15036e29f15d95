import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});

/** A new customer who pays these prices. */
async function subscribed(...prices: Stripe.Price[]) {
  const { id: customer } = await bench.customer();
  const items = prices.map(({ id: price }) => ({ price }));
  return { customer, id: (await bench.stripe.subscriptions.create({ customer, items })).id };
}

describe('cancellation', () => {
  it('at the period’s end bills the last usage, and can be undone before', async () => {
    const [base, usage] = [await bench.monthly(1_000), await bench.tiered([['inf', '1']])];
    const { customer, id } = await subscribed(base, usage);
    const cancel = (cancel_at_period_end: boolean) =>
      bench.stripe.subscriptions.update(id, { cancel_at_period_end });
    expect(await cancel(true)).toMatchObject({ cancel_at: at('2025-12-01'), status: 'active' });
    expect(await cancel(false)).toMatchObject({ cancel_at: null, canceled_at: null });
    await cancel(true);
    await bench.use(customer, 80);
    await bench.advance('2025-12-01T02:00:00Z');
    expect(await bench.stripe.subscriptions.retrieve(id)).toMatchObject({
      status: 'canceled',
      ended_at: at('2025-12-01'),
    });
    expect(await bench.linesOf(await bench.latestInvoice(id))).toEqual([
      [80, '80 × Pro (Tier 1 at $0.01 / month)'],
    ]);
    expect((await bench.latestInvoice(id)).status).toBe('paid');
  });

  it('now bills nothing by default', async () => {
    const usage = await bench.tiered([['inf', '1']]);
    const { customer, id } = await subscribed(usage);
    await bench.use(customer, 80);
    await bench.stripe.subscriptions.cancel(id);
    await bench.advance('2025-12-02');
    expect((await bench.stripe.invoices.list({ customer })).data).toEqual([]);
  });

  it('now with invoice_now bills usage so far', async () => {
    const [base, usage] = [await bench.monthly(1_000), await bench.tiered([['inf', '1']])];
    const { customer, id } = await subscribed(base, usage);
    await bench.use(customer, 80);
    await bench.advance('2025-11-16');
    await bench.stripe.subscriptions.cancel(id, { invoice_now: true });
    expect(await bench.latestInvoice(id)).toMatchObject({
      status: 'paid',
      total: 80,
      billing_reason: 'subscription_cycle',
    });
  });

  it('now with a credit that outweighs it leaves an uncollectible invoice, and no balance', async () => {
    const { customer, id } = await subscribed(await bench.monthly(1_000));
    await bench.advance('2025-11-16');
    await bench.stripe.subscriptions.cancel(id, { invoice_now: true, prorate: true });
    expect(await bench.latestInvoice(id)).toMatchObject({
      status: 'uncollectible',
      total: -500,
      number: null,
    });
    expect(await bench.stripe.customers.retrieve(customer)).toMatchObject({ balance: 0 });
  });
});
