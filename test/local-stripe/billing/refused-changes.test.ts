import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});

async function subscribed(
  card: string | null = 'pm_card_visa',
  params: Partial<Stripe.SubscriptionCreateParams> = {},
) {
  const { id: customer } = await bench.customer(card);
  const items = [{ price: (await bench.monthly(1_000)).id }];
  const { id, items: made } = await bench.stripe.subscriptions.create({ customer, items, ...params });
  return { customer, id, item: made.data[0]?.id ?? '' };
}

describe('an incomplete subscription', () => {
  it('does not begin anew for free', async () => {
    const { id } = await subscribed('pm_card_chargeCustomerFail');
    const anew = bench.stripe.subscriptions.update(id, { billing_cycle_anchor: { type: 'now' } });
    await expect(anew).rejects.toMatchObject({ statusCode: 400, param: 'billing_cycle_anchor' });
    expect((await bench.stripe.subscriptions.retrieve(id)).status).toBe('incomplete');
  });

  it('is canceled without a credit: it paid for nothing', async () => {
    const { customer, id } = await subscribed('pm_card_chargeCustomerFail');
    await bench.stripe.subscriptions.cancel(id, { prorate: true });
    expect((await bench.stripe.invoiceItems.list({ customer })).data).toEqual([]);
  });
});

describe('a paused subscription', () => {
  it('is resumed before its items or its anchor change', async () => {
    const { id, item } = await subscribed(null, {
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    });
    await bench.advance('2025-11-20');
    const { id: price } = await bench.monthly(2_000);
    for (const params of [
      { items: [{ id: item, price }], proration_behavior: 'always_invoice' },
      { billing_cycle_anchor: { type: 'now' } },
    ] satisfies Stripe.SubscriptionUpdateParams[]) {
      await expect(bench.stripe.subscriptions.update(id, params)).rejects.toThrow('resume it first');
    }
    expect((await bench.stripe.subscriptions.retrieve(id)).status).toBe('paused');
  });
});

describe('proration_date', () => {
  it('lies in the period, and not ahead', async () => {
    const { id } = await subscribed();
    for (const date of ['2025-11-02', '2025-12-02']) {
      const late = bench.stripe.subscriptions.update(id, { proration_date: at(date) });
      await expect(late).rejects.toMatchObject({ param: 'proration_date' });
    }
  });

  it.each(['licensed', 'metered'])('does not lie before the last change of a %s item', async (kind) => {
    const price = (cents: number) =>
      kind === 'licensed' ? bench.monthly(cents) : bench.tiered([['inf', String(cents)]]);
    const { id, item } = await subscribed('pm_card_visa', { items: [{ price: (await price(10)).id }] });
    const change = async (cents: number, date: string) =>
      bench.stripe.subscriptions.update(id, {
        items: [{ id: item, price: (await price(cents)).id }],
        proration_behavior: 'always_invoice',
        proration_date: at(date),
      });
    await bench.advance('2025-11-21');
    await change(20, '2025-11-20');
    await expect(change(30, '2025-11-19')).rejects.toMatchObject({
      statusCode: 400,
      param: 'proration_date',
    });
    await change(40, '2025-11-20');
  });

  it('does not go with a new anchor, which begins now', async () => {
    const { id } = await subscribed();
    await bench.advance('2025-11-10');
    const change = bench.stripe.subscriptions.update(id, {
      billing_cycle_anchor: { type: 'now' },
      proration_date: at('2025-11-05'),
    });
    await expect(change).rejects.toMatchObject({ param: 'proration_date' });
  });
});

describe('what would be taken and ignored', () => {
  it('is refused: the end of a trial that there is not', async () => {
    const { id } = await subscribed();
    const change = bench.stripe.subscriptions.update(id, { trial_end: 'now' });
    await expect(change).rejects.toMatchObject({ param: 'trial_end' });
  });

  it.each([{ items: [] }, { proration_date: at('2025-11-01') }, { trial_end: 'now' as const }])(
    'is refused: %j in the preview of a cancellation',
    async (other) => {
      const { id, item } = await subscribed();
      const details = { ...other, ...('items' in other && { items: [{ id: item, quantity: 2 }] }) };
      const preview = bench.stripe.invoices.createPreview({
        subscription: id,
        subscription_details: { cancel_now: true, ...details },
      });
      await expect(preview).rejects.toMatchObject({ param: 'subscription_details' });
    },
  );

  it('is refused: payment of a last invoice that is a credit', async () => {
    const { id } = await subscribed();
    await bench.advance('2025-11-16');
    await bench.stripe.subscriptions.cancel(id, { invoice_now: true, prorate: true });
    const { id: invoice = '' } = await bench.latestInvoice(id);
    for (const paid_out_of_band of [false, true]) {
      const paid = bench.stripe.invoices.pay(invoice, { paid_out_of_band });
      await expect(paid).rejects.toMatchObject({ statusCode: 400, param: undefined });
    }
  });
});
