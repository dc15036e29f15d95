import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let customer: string;
beforeEach(async () => {
  bench = await openBench();
  ({ id: customer } = await bench.customer());
});

const refused = (param: string) => ({ statusCode: 400, param });
async function subscribed(params: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const { id: price } = await bench.monthly(3_000);
  return bench.stripe.subscriptions.create({ customer, items: [{ price }], ...params });
}
const send = (method: string, init: RequestInit) =>
  bench.local.fetch(`https://api.stripe.com/v1/${method}`, init);

describe('what would be taken and ignored is refused', () => {
  it('a body where the address has the parameters', async () => {
    const { id } = await subscribed();
    const headers = {
      authorization: 'Bearer sk_test_1',
      'content-type': 'application/x-www-form-urlencoded',
    };
    const answer = await send(`subscriptions/${id}`, { method: 'DELETE', headers, body: 'invoice_now=true' });
    expect(answer.status).toBe(400);
  });

  it('a proration_date without something to prorate', async () => {
    const { id, items } = await subscribed();
    const { id: price } = await bench.monthly(30_000, { recurring: { interval: 'year' } });
    await bench.advance('2025-11-16');
    const proration_date = at('2025-11-05');
    for (const change of [{}, { items: [{ id: items.data[0]?.id ?? '', price }] }]) {
      const update = bench.stripe.subscriptions.update(id, { ...change, proration_date });
      await expect(update).rejects.toMatchObject(refused('proration_date'));
    }
  });

  it.each([
    ['http://localhost/', 'invoice.payd', 'enabled_events[0]'],
    ['http://localhost/', 'invoice.*', 'enabled_events[0]'],
    ['http://', '*', 'url'],
  ])('an endpoint at %s for %s', async (url, type, param) => {
    const enabled_events = [type as '*'];
    const made = bench.stripe.webhookEndpoints.create({ url, enabled_events });
    await expect(made).rejects.toMatchObject(refused(param));
  });

  it('an outage that ends before it begins', () => {
    const outage = { customer, from: new Date('2025-12-02'), until: new Date('2025-12-01') };
    expect(() => bench.local.failCard(outage)).toThrow('must end after it begins');
  });

  it('settings of a trial that there is not', async () => {
    const trial_settings = { end_behavior: { missing_payment_method: 'pause' } } as const;
    await expect(subscribed({ trial_settings })).rejects.toMatchObject(refused('trial_settings'));
    const { id } = await subscribed();
    const update = bench.stripe.subscriptions.update(id, { trial_settings });
    await expect(update).rejects.toMatchObject(refused('trial_settings'));
  });

  it('metadata that come to more than 50 keys with those that are there', async () => {
    const keys = (name: string) => Object.fromEntries(Array.from({ length: 30 }, (_, n) => [name + n, 'x']));
    await bench.stripe.customers.update(customer, { metadata: keys('a') });
    const more = bench.stripe.customers.update(customer, { metadata: keys('b') });
    await expect(more).rejects.toMatchObject(refused('metadata'));
    const instead = Object.fromEntries(Object.keys(keys('a')).map((key) => [key, '']));
    await bench.stripe.customers.update(customer, { metadata: { ...instead, ...keys('b') } });
  });

  it('a period that ends before it starts', async () => {
    const period = { start: at('2025-11-02'), end: at('2025-11-01') };
    const made = bench.stripe.invoiceItems.create({ customer, amount: 100, period });
    await expect(made).rejects.toMatchObject(refused('period[end]'));
  });
});

describe('a meter', () => {
  it('is alone under its event’s name', async () => {
    const { event_name } = bench.meter;
    const default_aggregation = { formula: 'sum' } as const;
    const made = bench.stripe.billing.meters.create({ display_name: 'New', event_name, default_aggregation });
    await expect(made).rejects.toMatchObject(refused('event_name'));
  });
});

describe('a charge', () => {
  it('is disputed once, and if it went through', async () => {
    await subscribed();
    bench.local.failCard({ customer, from: new Date('2025-11-01'), until: new Date('2025-11-02') });
    await subscribed();
    const [failed, paid] = (await bench.stripe.charges.list({ customer })).data.map(({ id }) => id);
    expect(() => bench.local.dispute(failed ?? '')).toThrow('if it went through');
    bench.local.dispute(paid ?? '');
    expect(() => bench.local.dispute(paid ?? '')).toThrow('once');
  });

  it('is not made by a payment method that was detached', async () => {
    const { id: method } = await bench.stripe.paymentMethods.attach('pm_card_mastercard', { customer });
    await bench.stripe.invoiceItems.create({ customer, amount: 5_000 });
    const pending = { pending_invoice_items_behavior: 'include' } as const;
    const { id = '' } = await bench.stripe.invoices.create({ customer, ...pending });
    await bench.stripe.invoices.update(id, { default_payment_method: method });
    await bench.stripe.paymentMethods.detach(method);
    await bench.stripe.invoices.pay(id);
    expect((await bench.stripe.charges.list({ customer })).data[0]?.payment_method).not.toBe(method);
  });
});

describe('a draft that an unpaid subscription keeps back', () => {
  it('is not credited: it was not paid', async () => {
    bench = await openBench({ endOfRetries: 'unpaid', retryDays: [1] });
    ({ id: customer } = await bench.customer());
    const { id } = await subscribed();
    bench.local.failCard({ customer, from: new Date('2025-11-15'), until: new Date('2026-01-15') });
    await bench.advance('2025-12-03');
    await bench.advance('2026-01-10');
    expect(await bench.latestInvoice(id)).toMatchObject({ status: 'draft' });
    await bench.stripe.subscriptions.cancel(id, { prorate: true });
    expect((await bench.stripe.invoiceItems.list({ customer })).data).toEqual([]);
  });
});

describe('a list', () => {
  it('goes on behind a row that passes its filter no longer', async () => {
    bench = await openBench({ clockLimits: false });
    ({ id: customer } = await bench.customer());
    for (const _ of [1, 2, 3, 4, 5]) await subscribed();
    let count = 0;
    for await (const { id } of bench.stripe.subscriptions.list({ status: 'active', limit: 2 })) {
      await bench.stripe.subscriptions.cancel(id);
      count += 1;
    }
    expect(count).toBe(5);
  });
});
