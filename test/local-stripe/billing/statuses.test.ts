import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});

const create = async (customer: string, params: object = {}) =>
  bench.stripe.subscriptions.create({
    customer,
    items: [{ price: (await bench.monthly(1_000)).id }],
    ...params,
  });
const status = async (id: string) => (await bench.stripe.subscriptions.retrieve(id)).status;

describe('a new subscription whose payment fails', () => {
  it('is incomplete, and active once its invoice is paid', async () => {
    const { id: customer } = await bench.customer('pm_card_chargeCustomerFail');
    const sub = await create(customer);
    expect(sub.status).toBe('incomplete');
    const invoice = await bench.latestInvoice(sub.id);
    expect(invoice).toMatchObject({ status: 'open', attempt_count: 1, next_payment_attempt: null });
    const good = await bench.stripe.paymentMethods.attach('pm_card_visa', { customer });
    await bench.stripe.invoices.pay(invoice.id ?? '', { payment_method: good.id });
    expect(await status(sub.id)).toBe('active');
    await bench.stripe.customers.update(customer, { invoice_settings: { default_payment_method: good.id } });
    await bench.advance('2025-12-02');
    expect((await bench.latestInvoice(sub.id)).status).toBe('paid');
  });

  it('expires after 23 hours, and its invoice is void', async () => {
    const { id: customer } = await bench.customer('pm_card_chargeCustomerFail');
    const sub = await create(customer);
    await bench.advance('2025-11-01T22:59:59Z');
    expect(await status(sub.id)).toBe('incomplete');
    await bench.advance('2025-11-01T23:00:00Z');
    expect(await status(sub.id)).toBe('incomplete_expired');
    expect((await bench.latestInvoice(sub.id)).status).toBe('void');
  });

  it('leaves nothing behind with error_if_incomplete', async () => {
    const { id: customer } = await bench.customer('pm_card_chargeCustomerFail');
    const before = bench.local.snapshot().length;
    await expect(create(customer, { payment_behavior: 'error_if_incomplete' })).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
      decline_code: 'generic_decline',
      statusCode: 402,
    });
    expect((await bench.stripe.subscriptions.list({ status: 'all' })).data).toEqual([]);
    expect((await bench.stripe.invoices.list()).data).toEqual([]);
    expect(bench.local.snapshot().length).toBeGreaterThan(before);
  });

  it('is refused without a payment method, and nothing is written', async () => {
    const { id: customer } = await bench.customer(null);
    await expect(create(customer)).rejects.toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      message: expect.stringContaining(
        'This customer has no attached payment source or default payment method.',
      ),
    });
    expect((await bench.stripe.subscriptions.list({ status: 'all' })).data).toEqual([]);
    expect((await bench.stripe.invoices.list({ customer })).data).toEqual([]);
  });
});

describe('a canceled subscription', () => {
  it('is canceled once: the second time there is none', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await create(customer);
    expect((await bench.stripe.subscriptions.cancel(id)).status).toBe('canceled');
    await expect(bench.stripe.subscriptions.cancel(id)).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    });
  });

  it('changes its metadata and cancellation details only', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await create(customer);
    await bench.stripe.subscriptions.cancel(id);
    const changed = await bench.stripe.subscriptions.update(id, {
      metadata: { why: 'price' },
      cancellation_details: { comment: 'too dear' },
    });
    expect(changed).toMatchObject({
      metadata: { why: 'price' },
      cancellation_details: { comment: 'too dear' },
    });
    await expect(bench.stripe.subscriptions.update(id, { description: 'x' })).rejects.toThrow(
      'A canceled subscription can only update its cancellation_details and metadata.',
    );
  });

  it('is listed when all are asked for', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await create(customer);
    await bench.stripe.subscriptions.cancel(id);
    expect((await bench.stripe.subscriptions.list({ customer })).data).toEqual([]);
    expect((await bench.stripe.subscriptions.list({ customer, status: 'all' })).data).toMatchObject([{ id }]);
    expect((await bench.stripe.subscriptions.list({ customer, status: 'ended' })).data).toMatchObject([
      { id },
    ]);
  });

  it('has its open invoices collected no further', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await create(customer);
    bench.local.failCard({ customer, from: new Date('2025-11-15'), until: new Date('2026-06-01') });
    await bench.advance('2025-12-02');
    await bench.stripe.subscriptions.cancel(id);
    expect(await bench.latestInvoice(id)).toMatchObject({
      status: 'open',
      auto_advance: false,
      next_payment_attempt: null,
    });
    await bench.advance('2026-01-15');
    expect((await bench.latestInvoice(id)).attempt_count).toBe(1);
  });

  it.each(['canceled', 'unpaid'] as const)(
    'stays as it ended when its last invoice is never paid (%s)',
    async (endOfRetries) => {
      bench = await openBench({ endOfRetries });
      const { id: customer } = await bench.customer();
      const { id: price } = await bench.tiered([['inf', '1']]);
      const { id } = await create(customer, { items: [{ price }] });
      await bench.use(customer, 500, '2025-11-01');
      await bench.stripe.subscriptions.update(id, { cancel_at_period_end: true });
      bench.local.failCard({ customer, from: new Date('2025-11-15'), until: new Date('2026-06-01') });
      await bench.advance('2025-12-30');
      expect((await bench.latestInvoice(id)).attempt_count).toBe(4);
      expect(await bench.stripe.subscriptions.retrieve(id)).toMatchObject({
        status: 'canceled',
        ended_at: Date.parse('2025-12-01') / 1_000,
        cancellation_details: { reason: 'cancellation_requested' },
      });
      const told = await bench.stripe.events.list({ type: 'customer.subscription.deleted' });
      expect(told.data).toHaveLength(1);
    },
  );
});

describe('an unpaid subscription', () => {
  it('keeps its new invoices as drafts; paying the latest makes it active', async () => {
    bench = await openBench({ endOfRetries: 'unpaid' });
    const { id: customer } = await bench.customer();
    const { id } = await create(customer);
    bench.local.failCard({ customer, from: new Date('2025-11-15'), until: new Date('2025-12-20') });
    await bench.advance('2025-12-16');
    expect(await status(id)).toBe('unpaid');
    await bench.advance('2026-01-10');
    const draft = await bench.latestInvoice(id);
    expect(draft).toMatchObject({ status: 'draft', auto_advance: false });
    await bench.stripe.invoices.pay(draft.id ?? '');
    expect(await status(id)).toBe('active');
  });
});

describe('pause_collection', () => {
  it.each([
    ['keep_as_draft', 'draft'],
    ['void', 'void'],
    ['mark_uncollectible', 'uncollectible'],
  ] as const)('%s leaves the status alone and the invoice %s', async (behavior, invoiceStatus) => {
    const { id: customer } = await bench.customer();
    const { id } = await create(customer);
    const { update } = bench.stripe.subscriptions;
    const pause = (to: '' | { behavior: typeof behavior }) =>
      update.call(bench.stripe.subscriptions, id, { pause_collection: to });
    expect((await pause({ behavior })).pause_collection).toEqual({ behavior, resumes_at: null });
    await bench.advance('2025-12-02');
    expect(await status(id)).toBe('active');
    expect((await bench.latestInvoice(id)).status).toBe(invoiceStatus);
    expect((await pause('')).pause_collection).toBeNull();
    await bench.advance('2026-01-02');
    expect((await bench.latestInvoice(id)).status).toBe('paid');
  });
});
