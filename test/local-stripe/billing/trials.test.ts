import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});

const trial = async (customer: string, params: Partial<Stripe.SubscriptionCreateParams> = {}) =>
  bench.stripe.subscriptions.create({
    customer,
    items: [{ price: (await bench.monthly(1_000)).id }],
    ...(params.trial_end === undefined && { trial_period_days: 14 }),
    ...params,
  });
const retrieve = (id: string) => bench.stripe.subscriptions.retrieve(id);

describe('a trial', () => {
  it('needs no payment method, and has an invoice of $0 at once', async () => {
    const { id: customer } = await bench.customer(null);
    const sub = await trial(customer);
    const end = at('2025-11-15');
    expect(sub).toMatchObject({ status: 'trialing', trial_end: end, billing_cycle_anchor: end });
    expect(sub.items.data[0]).toMatchObject({
      current_period_start: at('2025-11-01'),
      current_period_end: end,
    });
    expect(await bench.latestInvoice(sub.id)).toMatchObject({ status: 'paid', total: 0 });
    expect(await bench.linesOf(await bench.latestInvoice(sub.id))).toEqual([[0, 'Trial period for Pro']]);
  });

  it('lasts at most 730 days', async () => {
    const { id: customer } = await bench.customer(null);
    await expect(trial(customer, { trial_period_days: 731 })).rejects.toMatchObject({
      param: 'trial_period_days',
    });
    await expect(trial(customer, { trial_end: at('2028-01-01') })).rejects.toThrow(
      'A trial lasts at most 730 days.',
    );
  });

  it('begins a period at its end, charged an hour later', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await trial(customer);
    await bench.advance('2025-11-15T00:00:00Z');
    expect((await retrieve(id)).items.data[0]).toMatchObject({
      current_period_start: at('2025-11-15'),
      current_period_end: at('2025-12-15'),
    });
    expect(await retrieve(id)).toMatchObject({ status: 'active' });
    expect(await bench.latestInvoice(id)).toMatchObject({ status: 'draft', total: 1_000 });
    await bench.advance('2025-11-15T01:00:00Z');
    expect((await bench.latestInvoice(id)).status).toBe('paid');
  });

  it.each([
    ['create_invoice', 'past_due'],
    ['pause', 'paused'],
    ['cancel', 'canceled'],
  ] as const)('that ends without a payment method, %s: %s', async (missing_payment_method, status) => {
    const { id: customer } = await bench.customer(null);
    const { id } = await trial(customer, { trial_settings: { end_behavior: { missing_payment_method } } });
    await bench.advance('2025-11-15T01:00:00Z');
    expect((await retrieve(id)).status).toBe(status);
  });

  it('ends now when told so: anchor and period begin now, and the invoice is charged', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await trial(customer);
    await bench.advance('2025-11-05');
    const sub = await bench.stripe.subscriptions.update(id, { trial_end: 'now' });
    expect(sub).toMatchObject({
      status: 'active',
      billing_cycle_anchor: at('2025-11-05'),
      trial_end: at('2025-11-05'),
    });
    expect(await bench.latestInvoice(id)).toMatchObject({ status: 'paid', total: 1_000 });
  });

  it('can be made longer', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await trial(customer);
    await bench.stripe.subscriptions.update(id, { trial_end: at('2025-11-20') });
    await bench.advance('2025-11-16');
    expect((await retrieve(id)).status).toBe('trialing');
    await bench.advance('2025-11-21');
    expect((await retrieve(id)).status).toBe('active');
  });

  it('that is cut short is told of once, and not again when it is over', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await trial(customer);
    await bench.advance('2025-11-02');
    const events = await bench.eventsOf(async () => {
      await bench.stripe.subscriptions.update(id, { trial_end: at('2025-11-04') });
      await bench.advance('2025-11-20');
    });
    const told = events.filter(({ type }) => type === 'customer.subscription.trial_will_end');
    expect(told.map(({ created }) => created)).toEqual([at('2025-11-02')]);
  });

  it('that is made longer ends the subscription then, if it is to end with its period', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await trial(customer);
    await bench.stripe.subscriptions.update(id, { cancel_at_period_end: true });
    const moved = await bench.stripe.subscriptions.update(id, { trial_end: at('2025-11-20') });
    expect(moved).toMatchObject({ cancel_at_period_end: true, cancel_at: at('2025-11-20') });
    await bench.advance('2025-11-21');
    expect(await retrieve(id)).toMatchObject({ status: 'canceled', ended_at: at('2025-11-20') });
  });

  it('does not bill its usage by an item that was added to it either', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await trial(customer);
    await bench.advance('2025-11-03');
    const usage = await bench.tiered([['inf', '1']]);
    await bench.stripe.subscriptions.update(id, { items: [{ price: usage.id }] });
    await bench.use(customer, 700, '2025-11-03');
    await bench.advance('2025-11-16');
    await bench.use(customer, 40, '2025-11-15');
    expect((await bench.latestInvoice(id)).total).toBe(1_000);
    await bench.advance('2025-12-16');
    expect((await bench.latestInvoice(id)).total).toBe(1_040);
  });

  it('does not bill its usage, which can be seen nevertheless', async () => {
    const { id: customer } = await bench.customer();
    const usage = await bench.tiered([['inf', '1']]);
    const { id } = await trial(customer, { items: [{ price: usage.id }] });
    await bench.use(customer, 40);
    await bench.advance('2025-11-15T02:00:00Z');
    await bench.use(customer, 2, '2025-11-15');
    const { data } = await bench.stripe.billing.meters.listEventSummaries(bench.meter.id, {
      customer,
      start_time: at('2025-11-01'),
      end_time: at('2025-12-01'),
    });
    expect(data.map(({ aggregated_value }) => aggregated_value)).toEqual([42]);
    await bench.advance('2025-12-15T02:00:00Z');
    expect((await bench.latestInvoice(id)).total).toBe(2);
  });
});

describe('an anchor on the 1st', () => {
  it('shortens and prorates the first period', async () => {
    bench = await openBench({ start: '2025-11-16' });
    const { id: customer } = await bench.customer();
    const price = await bench.monthly(1_000);
    const sub = await bench.stripe.subscriptions.create({
      customer,
      items: [{ price: price.id }],
      billing_cycle_anchor: at('2025-12-01'),
    });
    expect(sub.items.data[0]).toMatchObject({
      current_period_start: at('2025-11-16'),
      current_period_end: at('2025-12-01'),
    });
    const first = await bench.latestInvoice(sub.id);
    expect(first).toMatchObject({ total: 500, status: 'paid' });
    expect(first.lines.data[0]?.parent?.subscription_item_details?.proration).toBe(true);
    await bench.advance('2025-12-02');
    expect(await bench.latestInvoice(sub.id)).toMatchObject({ total: 1_000, period_start: at('2025-11-16') });
  });

  it('follows a trial with a prorated period', async () => {
    const { id: customer } = await bench.customer();
    const [base, usage] = [await bench.monthly(3_000), await bench.tiered([['inf', '1']])];
    const { id } = await trial(customer, {
      items: [{ price: base.id }, { price: usage.id }],
      trial_end: at('2025-11-16'),
      billing_cycle_anchor: at('2025-12-01'),
    });
    await bench.advance('2025-11-16T02:00:00Z');
    expect(await bench.latestInvoice(id)).toMatchObject({ total: 1_500, status: 'paid' });
    expect(await bench.linesOf(await bench.latestInvoice(id))).toEqual([
      [1_500, '1 × Pro (at $30.00 / month)'],
    ]);
    expect((await retrieve(id)).items.data[0]?.current_period_end).toBe(at('2025-12-01'));
    await bench.use(customer, 25);
    await bench.advance('2025-12-01T02:00:00Z');
    expect(await bench.latestInvoice(id)).toMatchObject({ total: 3_025, status: 'paid' });
  });

  it.each(['now', 'unchanged'] as const)(
    'after a trial goes with what its end does (%s)',
    async (anchorAtEnd) => {
      const { id: customer } = await bench.customer();
      const made = trial(customer, {
        trial_end: at('2025-11-16'),
        ...(anchorAtEnd === 'now' && { billing_cycle_anchor: at('2025-12-01') }),
        trial_settings: { end_behavior: { billing_cycle_anchor: anchorAtEnd } },
      });
      await expect(made).rejects.toMatchObject({ param: 'trial_settings' });
    },
  );

  it('must lie within a period', async () => {
    const { id: customer } = await bench.customer();
    const items = [{ price: (await bench.monthly(1_000)).id }];
    for (const anchor of ['2025-10-31', '2025-12-02']) {
      const made = bench.stripe.subscriptions.create({ customer, items, billing_cycle_anchor: at(anchor) });
      await expect(made).rejects.toMatchObject({ param: 'billing_cycle_anchor' });
    }
  });
});
