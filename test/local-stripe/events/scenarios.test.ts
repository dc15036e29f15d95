import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});

const PAID =
  'payment_intent.succeeded charge.succeeded invoice_payment.paid invoice.updated invoice.paid invoice.payment_succeeded';
const CHARGED = `payment_intent.created ${PAID}`;
const FAILED = 'charge.failed payment_intent.payment_failed invoice.updated invoice.payment_failed';

const typesOf = (events: readonly Stripe.Event[]) => events.map(({ type }) => type).join(' ');
const types = async (work: () => Promise<unknown>) => typesOf(await bench.eventsOf(work));

async function subscribed(params: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const { id: customer } = await bench.customer();
  const sub = await bench.stripe.subscriptions.create({
    customer,
    items: [{ price: (await bench.monthly(1_000)).id }],
    ...params,
  });
  return { customer, id: sub.id, item: sub.items.data[0]?.id ?? '' };
}

describe('events', () => {
  it('of a new subscription with a card', async () => {
    const { id: customer } = await bench.customer();
    const items = [{ price: (await bench.monthly(1_000)).id }];
    const made = await bench.eventsOf(() => bench.stripe.subscriptions.create({ customer, items }));
    expect(typesOf(made)).toBe(`customer.subscription.created invoice.created invoice.finalized ${CHARGED}`);
    expect(made[0]?.data.object).toMatchObject({ status: 'active' });
    expect(new Set(made.map(({ request }) => request?.id)).size).toBe(1);
    expect(made[0]?.request?.idempotency_key).toMatch(/^stripe-node-retry-/);
  });

  it('of a new subscription with a trial', async () => {
    const { id: customer } = await bench.customer();
    const items = [{ price: (await bench.monthly(1_000)).id }];
    const create = () => bench.stripe.subscriptions.create({ customer, items, trial_period_days: 14 });
    expect(await types(create)).toBe(
      'customer.subscription.created invoice.created invoice.finalized invoice.paid invoice.payment_succeeded',
    );
  });

  it('three days before a trial ends, or at once if it is shorter', async () => {
    await subscribed({ trial_period_days: 14 });
    expect(await types(() => bench.advance('2025-11-11T23:59:59Z'))).toBe('');
    expect(await types(() => bench.advance('2025-11-12T00:00:00Z'))).toBe(
      'customer.subscription.trial_will_end',
    );
    expect(await types(() => subscribed({ trial_period_days: 2 }))).toContain(
      'customer.subscription.trial_will_end',
    );
  });

  it('of a renewal', async () => {
    await subscribed();
    const made = await bench.eventsOf(() => bench.advance('2025-12-01T00:00:00Z'));
    expect(typesOf(made)).toBe('customer.subscription.updated invoice.created');
    expect(Object.keys(made[0]?.data.previous_attributes ?? {}).sort()).toEqual(['items', 'latest_invoice']);
    expect(made[0]?.request).toEqual({ id: null, idempotency_key: null });
    expect(made[1]?.data.object).toMatchObject({ status: 'draft' });
    expect(await types(() => bench.advance('2025-12-01T01:00:00Z'))).toBe(`invoice.finalized ${CHARGED}`);
  });

  it('of a trial’s end', async () => {
    await subscribed({ trial_period_days: 14 });
    await bench.advance('2025-11-14');
    const made = await bench.eventsOf(() => bench.advance('2025-11-15T00:00:00Z'));
    expect(typesOf(made)).toBe('customer.subscription.updated invoice.created');
    expect(made[0]?.data.previous_attributes).toMatchObject({ status: 'trialing' });
  });

  it('of a failed renewal, its retries, and its recovery', async () => {
    const { customer } = await subscribed();
    bench.local.failCard({ customer, from: new Date('2025-11-15'), until: new Date('2025-12-05') });
    await bench.advance('2025-12-01T00:30:00Z');
    const first = await bench.eventsOf(() => bench.advance('2025-12-01T01:00:00Z'));
    expect(typesOf(first)).toBe(
      `invoice.finalized payment_intent.created ${FAILED} customer.subscription.updated`,
    );
    expect(first.at(-1)?.data).toMatchObject({
      object: { status: 'past_due' },
      previous_attributes: { status: 'active' },
    });
    expect(first.at(-2)?.data.object).toMatchObject({
      attempt_count: 1,
      next_payment_attempt: at('2025-12-04T01:00:00Z'),
    });
    expect(await types(() => bench.advance('2025-12-04T01:00:00Z'))).toBe(FAILED);
    const last = await bench.eventsOf(() => bench.advance('2025-12-08T01:00:00Z'));
    expect(typesOf(last)).toBe(`${PAID} customer.subscription.updated`);
    expect(last.at(-1)?.data).toMatchObject({
      object: { status: 'active' },
      previous_attributes: { status: 'past_due' },
    });
  });

  it.each([
    ['canceled', 'customer.subscription.deleted'],
    ['unpaid', 'customer.subscription.updated'],
  ] as const)('of the last retry (%s)', async (endOfRetries, type) => {
    bench = await openBench({ endOfRetries });
    const { customer } = await subscribed();
    bench.local.failCard({ customer, from: new Date('2025-11-15'), until: new Date('2026-12-05') });
    await bench.advance('2025-12-14');
    const made = await bench.eventsOf(() => bench.advance('2025-12-15T01:00:00Z'));
    expect(typesOf(made)).toBe(`${FAILED} ${type}`);
    if (endOfRetries === 'canceled') {
      expect(made.at(-1)?.data.object).toMatchObject({ cancellation_details: { reason: 'payment_failed' } });
    }
  });

  it('of an upgrade that is billed at once, or later', async () => {
    const { id, item } = await subscribed();
    const [two, three] = [(await bench.monthly(2_000)).id, (await bench.monthly(3_000)).id];
    await bench.advance('2025-11-16');
    const items = 'invoiceitem.created invoiceitem.created customer.subscription.updated';
    const upgrade = (price: string, proration_behavior: 'always_invoice' | 'create_prorations') => () =>
      bench.stripe.subscriptions.update(id, { items: [{ id: item, price }], proration_behavior });
    const made = await bench.eventsOf(upgrade(two, 'always_invoice'));
    expect(typesOf(made)).toBe(`${items} invoice.created invoice.finalized ${CHARGED}`);
    expect(made[2]?.data.previous_attributes).toHaveProperty('items');
    expect(await types(upgrade(three, 'create_prorations'))).toBe(items);
  });

  it('of a cancellation at the period’s end', async () => {
    const usage = await bench.tiered([['inf', '100']]);
    const { customer, id } = await subscribed({ items: [{ price: usage.id }] });
    await bench.use(customer, 5);
    const [asked] = await bench.eventsOf(() =>
      bench.stripe.subscriptions.update(id, { cancel_at_period_end: true }),
    );
    expect(asked).toMatchObject({ type: 'customer.subscription.updated' });
    expect(Object.keys(asked?.data.previous_attributes ?? {}).sort()).toEqual([
      'cancel_at',
      'cancel_at_period_end',
      'canceled_at',
      'cancellation_details',
    ]);
    expect(await types(() => bench.advance('2025-12-01T02:00:00Z'))).toBe(
      `invoice.created customer.subscription.deleted invoice.finalized ${CHARGED}`,
    );
  });

  it('of a cancellation now, billed now', async () => {
    const usage = await bench.tiered([['inf', '100']]);
    const { customer, id } = await subscribed({ items: [{ price: usage.id }] });
    await bench.use(customer, 5);
    await bench.advance('2025-11-16');
    expect(await types(() => bench.stripe.subscriptions.cancel(id, { invoice_now: true }))).toBe(
      `customer.subscription.deleted invoice.created invoice.finalized ${CHARGED}`,
    );
  });

  it('of a payment out of band: paid, but no payment succeeded', async () => {
    const { id: customer } = await bench.customer();
    await bench.stripe.invoiceItems.create({ customer, amount: 900 });
    const draft = await bench.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    const made = await types(() => bench.stripe.invoices.pay(draft.id ?? '', { paid_out_of_band: true }));
    expect(made).toContain('invoice.paid');
    expect(made).not.toContain('invoice.payment_succeeded');
  });
});

describe('/v1/events', () => {
  it('keeps thirty days, on the clock of the object', async () => {
    const { customer } = await subscribed();
    await bench.advance('2025-12-01T02:00:00Z');
    const list = async () => {
      const { data } = await bench.stripe.events.list({ type: 'invoice.created', limit: 100 });
      return data.filter(({ data: { object } }) => (object as Stripe.Invoice).customer === customer).length;
    };
    expect(await list()).toBe(1);
    const [event] = (await bench.stripe.events.list({ type: 'invoice.created' })).data;
    await bench.advance('2025-12-31T00:00:01Z');
    expect(await list()).toBe(0);
    await expect(bench.stripe.events.retrieve(event?.id ?? '')).rejects.toMatchObject({
      code: 'resource_missing',
    });
  });

  it('is filtered by type', async () => {
    await subscribed();
    const some = await bench.stripe.events.list({ types: ['invoice.paid', 'charge.succeeded'] });
    expect(some.data.map(({ type }) => type)).toEqual(['invoice.paid', 'charge.succeeded']);
    const all = await bench.stripe.events.list({ type: 'invoice.*' });
    expect(all.data.every(({ type }) => type.startsWith('invoice.'))).toBe(true);
  });
});
