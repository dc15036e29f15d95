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
    const { id, item } = await subscribed('pm_card_chargeCustomerFail');
    const { id: price } = await bench.monthly(12_000, { recurring: { interval: 'year' } });
    const anew = bench.stripe.subscriptions.update(id, { items: [{ id: item, price }] });
    await expect(anew).rejects.toMatchObject({ statusCode: 400, param: 'items' });
    expect((await bench.stripe.subscriptions.retrieve(id)).status).toBe('incomplete');
  });

  it('is canceled without a credit: it paid for nothing', async () => {
    const { customer, id } = await subscribed('pm_card_chargeCustomerFail');
    await bench.stripe.subscriptions.cancel(id, { prorate: true });
    expect((await bench.stripe.invoiceItems.list({ customer })).data).toEqual([]);
  });
});

describe('a paused subscription', () => {
  it('changes neither its items nor its end', async () => {
    const { id, item } = await subscribed(null, {
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    });
    await bench.advance('2025-11-20');
    const { id: price } = await bench.monthly(2_000);
    for (const params of [
      { items: [{ id: item, price }], proration_behavior: 'always_invoice' },
      // It has no period, at whose end it could end.
      { cancel_at_period_end: true },
    ] satisfies Stripe.SubscriptionUpdateParams[]) {
      await expect(bench.stripe.subscriptions.update(id, params)).rejects.toThrow('of a paused subscription');
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

  it.each(['licensed', 'metered'])(
    'of a %s item that is added does not lie before the last deletion',
    async (kind) => {
      const kept = (await bench.monthly(7)).id;
      const price = kind === 'licensed' ? await bench.monthly(3_000) : await bench.tiered([['inf', '1']]);
      const { customer, id } = await subscribed('pm_card_visa', {
        items: [{ price: kept }, { price: price.id }],
      });
      await bench.use(customer, 600);
      await bench.advance('2025-11-16');
      const items = (await bench.stripe.subscriptions.retrieve(id)).items.data;
      await bench.stripe.subscriptionItems.del(items[1]?.id ?? '', { proration_date: at('2025-11-11') });
      const add = (date: string) =>
        bench.stripe.subscriptionItems.create({
          subscription: id,
          price: price.id,
          proration_date: at(date),
        });
      await expect(add('2025-11-05')).rejects.toMatchObject({ statusCode: 400, param: 'proration_date' });
      await add('2025-11-11');
      await bench.advance('2025-12-02');
      // All of November once: the usage, or a credit and a charge of the same time.
      const november = kind === 'licensed' ? 3_000 : 600;
      expect((await bench.latestInvoice(id)).total).toBe(7 + november);
    },
  );

  it('of an item that is added does not lie before another one’s last change', async () => {
    const metered = (await bench.tiered([['inf', '1']])).id;
    const { customer, id, item } = await subscribed('pm_card_visa', { items: [{ price: metered }] });
    await bench.use(customer, 600);
    await bench.advance('2025-11-16');
    const price = (await bench.monthly(3_000)).id;
    await bench.stripe.subscriptions.update(id, { items: [{ id: item, price }] });
    const add = bench.stripe.subscriptionItems.create({
      subscription: id,
      price: metered,
      proration_date: at('2025-11-01'),
    });
    await expect(add).rejects.toMatchObject({ statusCode: 400, param: 'proration_date' });
  });
});

describe('what would be taken and ignored', () => {
  it('is refused: the end of a trial that there is not', async () => {
    const { id } = await subscribed();
    const change = bench.stripe.subscriptions.update(id, { trial_end: 'now' });
    await expect(change).rejects.toMatchObject({ param: 'trial_end' });
  });

  it('is refused: a quantity of an item that a meter counts', async () => {
    const { item } = await subscribed('pm_card_visa', {
      items: [{ price: (await bench.tiered([['inf', '1']])).id }],
    });
    const change = bench.stripe.subscriptionItems.update(item, { quantity: 5 });
    await expect(change).rejects.toMatchObject({ statusCode: 400, param: 'items' });
  });

  it('is refused: two changes of one item, and a deletion with another change', async () => {
    const { id, item } = await subscribed();
    for (const items of [
      [
        { id: item, quantity: 2 },
        { id: item, quantity: 3 },
      ],
      [{ id: item, deleted: true, quantity: 2 }, { price: (await bench.monthly(700)).id }],
    ] satisfies Stripe.SubscriptionUpdateParams.Item[][]) {
      const change = bench.stripe.subscriptions.update(id, { items });
      await expect(change).rejects.toMatchObject({ statusCode: 400, param: 'items' });
    }
  });

  it('is refused: another end of a trial before a later anchor, which it would lose', async () => {
    const trial = { trial_end: at('2025-11-16'), billing_cycle_anchor: at('2025-12-01') };
    const { id } = await subscribed('pm_card_visa', trial);
    const moved = bench.stripe.subscriptions.update(id, { trial_end: at('2025-11-20') });
    await expect(moved).rejects.toMatchObject({ statusCode: 400, param: 'trial_end' });
    expect((await bench.stripe.subscriptions.retrieve(id)).billing_cycle_anchor).toBe(at('2025-12-01'));
  });

  it('is refused: a payment method with a payment that came another way', async () => {
    const { customer, id } = await subscribed('pm_card_visa', {
      collection_method: 'send_invoice',
      days_until_due: 7,
    });
    const { id: method } = await bench.stripe.paymentMethods.attach('pm_card_visa', { customer });
    const { id: invoice = '' } = await bench.latestInvoice(id);
    const paid = bench.stripe.invoices.pay(invoice, { paid_out_of_band: true, payment_method: method });
    await expect(paid).rejects.toMatchObject({ statusCode: 400, param: 'payment_method' });
  });

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
