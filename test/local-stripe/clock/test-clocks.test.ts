import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addIntervals, periodAround } from '../../../src/local-stripe/clock/interval.js';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});

describe('a test clock', () => {
  it('answers that it is advancing, and is ready when it has arrived', async () => {
    const { stripe, clock } = bench;
    const target = at('2025-11-20');
    expect(await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: target })).toMatchObject({
      status: 'advancing',
      status_details: { advancing: { target_frozen_time: target } },
    });
    await expect
      .poll(async () => (await stripe.testHelpers.testClocks.retrieve(clock.id)).status, { interval: 1 })
      .toBe('ready');
    const made = (await stripe.events.list({ type: 'test_helpers.*' })).data.map(({ type }) => type);
    expect(made).toEqual(['ready', 'advancing', 'created'].map((name) => `test_helpers.test_clock.${name}`));
  });

  it('refuses changes of its customers on its way', async () => {
    const { id: customer } = await bench.customer();
    const { stripe, clock } = bench;
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at('2025-11-20') });
    // Nothing has a turn in between: what is called at once comes before the first step.
    const write = stripe.customers.update(customer, { name: 'Ann' });
    await expect(write).rejects.toMatchObject({
      statusCode: 429,
      message: expect.stringContaining('Test clock advancement underway - cannot perform modifications'),
    });
  });

  it('goes forward only', async () => {
    const back = bench.stripe.testHelpers.testClocks.advance(bench.clock.id, {
      frozen_time: at('2025-10-31'),
    });
    await expect(back).rejects.toMatchObject({ param: 'frozen_time' });
  });

  it('goes two intervals at a time, two years without a subscription', async () => {
    const advance = (time: string) =>
      bench.stripe.testHelpers.testClocks.advance(bench.clock.id, { frozen_time: at(time) });
    await expect(advance('2027-11-02')).rejects.toThrow('at most 2 intervals');
    const { id: customer } = await bench.customer();
    await bench.stripe.subscriptions.create({ customer, items: [{ price: (await bench.monthly(100)).id }] });
    await expect(advance('2026-01-02')).rejects.toThrow('at most 2 intervals');
    await bench.advance('2026-01-01');
  });

  it('has three customers, each with three subscriptions', async () => {
    const { id: customer } = await bench.customer();
    const subscribe = async () =>
      bench.stripe.subscriptions.create({ customer, items: [{ price: (await bench.monthly(100)).id }] });
    for (let n = 0; n < 3; n += 1) await subscribe();
    await expect(subscribe()).rejects.toThrow('up to 3 subscriptions');
    await bench.customer();
    await bench.customer();
    await expect(bench.customer()).rejects.toThrow('up to 3 customers');
  });

  it('has none of these limits when they are lifted', async () => {
    bench = await openBench({ clockLimits: false });
    for (let n = 0; n < 5; n += 1) await bench.customer();
    await bench.advance('2035-01-01');
  });

  it('takes its customers with it', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await bench.stripe.subscriptions.create({
      customer,
      items: [{ price: (await bench.monthly(100)).id }],
    });
    await bench.stripe.testHelpers.testClocks.del(bench.clock.id);
    expect(await bench.stripe.customers.retrieve(customer)).toEqual(
      expect.objectContaining({ deleted: true }),
    );
    expect((await bench.stripe.subscriptions.retrieve(id)).status).toBe('canceled');
    await bench.local.settled();
  });
});

describe('a deleted customer', () => {
  it('has nothing due: its drafts are void, its open invoices are collected no further', async () => {
    const { stripe } = bench;
    const { id: customer } = await bench.customer();
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: (await bench.monthly(100)).id }],
    });
    await stripe.invoiceItems.create({ customer, amount: 700, currency: 'usd' });
    bench.local.failCard({ customer, from: new Date('2025-11-01'), until: new Date('2026-11-01') });
    const manual = await stripe.invoices.create({
      customer,
      auto_advance: true,
      pending_invoice_items_behavior: 'include',
    });
    await bench.advance('2025-12-01T00:10:00Z');
    await stripe.customers.del(customer);
    expect(await bench.latestInvoice(id)).toMatchObject({ status: 'void', auto_advance: false });
    expect(await stripe.invoices.retrieve(manual.id ?? '')).toMatchObject({
      status: 'open',
      next_payment_attempt: null,
    });
    await bench.advance('2025-12-20');
    expect((await stripe.invoices.retrieve(manual.id ?? '')).status).toBe('open');
  });
});

describe('the live clock', () => {
  it('is caught up by the next call, each step as of its time', async () => {
    let now = Date.parse('2025-11-01');
    bench = await openBench({ now: () => new Date(now) });
    const { stripe, local } = bench;
    const { id: customer } = await stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: (await bench.monthly(100)).id }],
    });
    const seen: [string, number][] = [];
    local.onWebhook((body) => seen.push([JSON.parse(body).type, JSON.parse(body).created]), {
      events: ['invoice.created', 'invoice.paid'],
    });
    now = Date.parse('2026-01-02');
    const created = (await stripe.invoices.list({ subscription: id })).data.map((invoice) => [
      invoice.created,
      invoice.status,
    ]);
    expect(created).toEqual([
      [at('2026-01-01'), 'paid'],
      [at('2025-12-01'), 'paid'],
      [at('2025-11-01'), 'paid'],
    ]);
    await local.settled();
    expect(seen.map(([type]) => type)).toEqual([
      'invoice.created',
      'invoice.paid',
      'invoice.created',
      'invoice.paid',
    ]);
    now = Date.parse('2026-02-02');
    await local.tick();
    expect(seen.at(-1)).toEqual(['invoice.paid', at('2026-02-01T01:00:00Z')]);
  });
});

describe('a step that fails', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** A subscription whose renewal fails: the plan of its event's delivery makes no sense. */
  async function failing(customer: string) {
    const usage = await bench.tiered([['inf', '1']]);
    const { id } = await bench.stripe.subscriptions.create({ customer, items: [{ price: usage.id }] });
    bench.local.onWebhook(() => undefined, { events: ['invoice.created'] });
    bench.local.deliveryPlan = { copies: ({ type }) => (type === 'invoice.created' ? -1 : 1) };
    return id;
  }

  it('stops a test clock in internal_failure, and changes nothing', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { id: customer } = await bench.customer();
    const id = await failing(customer);
    const before = await bench.stripe.subscriptions.retrieve(id);
    await expect(bench.advance('2025-12-02')).rejects.toThrow('internal_failure');
    const after = await bench.stripe.subscriptions.retrieve(id);
    expect([after.items, after.latest_invoice]).toEqual([before.items, null]);
    expect(error).toHaveBeenCalledOnce();
  });

  it('is left out on the live clock, which goes on', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    let now = Date.parse('2025-11-01');
    bench = await openBench({ now: () => new Date(now) });
    const { id: customer } = await bench.stripe.customers.create();
    await failing(customer);
    now = Date.parse('2025-12-02');
    expect((await bench.stripe.invoices.list()).data).toEqual([]);
    await bench.local.tick();
    expect(error).toHaveBeenCalledOnce();
  });
});

describe('periods', () => {
  it.each([
    ['2024-01-31', 'month', ['2024-02-29', '2024-03-31', '2024-04-30']],
    ['2025-11-01', 'month', ['2025-12-01', '2026-01-01', '2026-02-01']],
    ['2024-02-29', 'year', ['2025-02-28', '2026-02-28', '2027-02-28']],
    ['2025-11-01', 'week', ['2025-11-08', '2025-11-15', '2025-11-22']],
    ['2025-11-01', 'day', ['2025-11-02', '2025-11-03', '2025-11-04']],
  ])('from %s by the %s', (anchor, interval, ends) => {
    const days = [1, 2, 3].map((n) => addIntervals(at(anchor), { interval, interval_count: 1 }, n));
    expect(days).toEqual(ends.map(at));
  });

  it('lie around a time, before the anchor too', () => {
    const month = { interval: 'month', interval_count: 1 };
    expect(periodAround(at('2025-12-01'), month, at('2025-11-16'))).toEqual({
      start: at('2025-11-01'),
      end: at('2025-12-01'),
    });
    expect(periodAround(at('2025-12-01'), month, at('2025-12-01'))).toEqual({
      start: at('2025-12-01'),
      end: at('2026-01-01'),
    });
  });
});
