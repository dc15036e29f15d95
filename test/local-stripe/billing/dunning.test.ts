import { describe, expect, it } from 'vitest';
import type { LocalStripeOptions } from '../../../src/local-stripe/create-local-stripe.js';
import { at, openBench } from '../../support/local-stripe.js';

const DAY = 86_400;

/** A subscription whose card fails from the middle of November for a while. */
async function failing(until: string, options: LocalStripeOptions & { card?: string } = {}) {
  const bench = await openBench(options);
  const { id: customer } = await bench.customer();
  const { id } = await bench.stripe.subscriptions.create({
    customer,
    items: [{ price: (await bench.monthly(1_000)).id }],
  });
  bench.local.failCard({ customer, from: new Date('2025-11-15'), until: new Date(until) });
  const status = async () => (await bench.stripe.subscriptions.retrieve(id)).status;
  return { ...bench, customer, id, status };
}
/** The first attempt at the renewal. */
const FIRST = at('2025-12-01T01:00:00Z');

describe('retries', () => {
  it('come on days 3, 7 and 14 after the first failure, each counted', async () => {
    const bench = await failing('2026-06-01');
    const states: [number, number | null, string][] = [];
    for (const day of [0, 3, 7, 14]) {
      await bench.advance(new Date((FIRST + day * DAY) * 1_000).toISOString());
      const { attempt_count: count, next_payment_attempt: next } = await bench.latestInvoice(bench.id);
      states.push([count, next && (next - FIRST) / DAY, await bench.status()]);
    }
    expect(states).toEqual([
      [1, 3, 'past_due'],
      [2, 7, 'past_due'],
      [3, 14, 'past_due'],
      [4, null, 'canceled'],
    ]);
    const { data } = await bench.stripe.charges.list({ customer: bench.customer });
    expect(data.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed', 'failed', 'succeeded']);
  });

  it('follow the account’s schedule', async () => {
    const bench = await failing('2026-06-01', { retryDays: [1, 2], endOfRetries: 'past_due' });
    await bench.advance('2025-12-20');
    expect(await bench.latestInvoice(bench.id)).toMatchObject({
      attempt_count: 3,
      next_payment_attempt: null,
      status: 'open',
    });
    expect(await bench.status()).toBe('past_due');
  });

  it.each(['canceled', 'unpaid', 'past_due'] as const)(
    'end in %s, as the account says',
    async (endOfRetries) => {
      const bench = await failing('2026-06-01', { endOfRetries });
      await bench.advance('2025-12-20');
      expect(await bench.status()).toBe(endOfRetries);
      expect((await bench.latestInvoice(bench.id)).status).toBe('open');
    },
  );

  it.each([
    ['2025-12-02', 2],
    ['2025-12-05', 3],
    ['2025-12-10', 4],
  ])('succeed when the card works again (%s)', async (until, attempts) => {
    const bench = await failing(until);
    await bench.advance('2025-12-20');
    expect(await bench.status()).toBe('active');
    expect(await bench.latestInvoice(bench.id)).toMatchObject({ status: 'paid', attempt_count: attempts });
    expect(await bench.stripe.customers.retrieve(bench.customer)).toMatchObject({ delinquent: false });
  });

  it('end with the latest invoice: paying an older one is not enough', async () => {
    const bench = await failing('2026-01-10', { endOfRetries: 'past_due' });
    await bench.advance('2025-12-16');
    await bench.advance('2026-01-02');
    await bench.advance('2026-01-11');
    const [latest, older] = (await bench.stripe.invoices.list({ subscription: bench.id, status: 'open' }))
      .data;
    await bench.stripe.invoices.pay(older?.id ?? '');
    expect(await bench.status()).toBe('past_due');
    await bench.stripe.invoices.pay(latest?.id ?? '');
    expect(await bench.status()).toBe('active');
  });

  it('are told by the status although a change was billed after the renewal', async () => {
    const bench = await failing('2025-12-20', { endOfRetries: 'past_due', retryDays: [] });
    await bench.advance('2025-12-01T00:10:00Z');
    const { items } = await bench.stripe.subscriptions.retrieve(bench.id);
    const change = (price: string) =>
      bench.stripe.subscriptions.update(bench.id, {
        items: [{ id: items.data[0]?.id ?? '', price }],
        proration_behavior: 'always_invoice',
        proration_date: at('2025-12-01'),
      });
    // It leaves a credit, so its invoice is paid at once.
    await change((await bench.monthly(500)).id);
    await bench.advance('2025-12-02');
    expect(await bench.status()).toBe('past_due');
    await bench.advance('2025-12-21');
    await change((await bench.monthly(800)).id);
    expect((await bench.latestInvoice(bench.id)).status).toBe('paid');
    expect(await bench.status()).toBe('past_due');
    const [renewal] = (await bench.stripe.invoices.list({ subscription: bench.id, status: 'open' })).data;
    await bench.stripe.invoices.pay(renewal?.id ?? '');
    expect(await bench.status()).toBe('active');
  });

  it('by hand are not counted, except the first', async () => {
    const bench = await failing('2026-06-01');
    await bench.advance('2025-12-02');
    const invoice = await bench.latestInvoice(bench.id);
    await expect(bench.stripe.invoices.pay(invoice.id ?? '')).rejects.toMatchObject({
      code: 'card_declined',
    });
    expect(await bench.latestInvoice(bench.id)).toMatchObject({
      attempt_count: 1,
      next_payment_attempt: invoice.next_payment_attempt,
    });
    expect((await bench.stripe.charges.list({ customer: bench.customer })).data).toHaveLength(3);
  });

  it('of a hard decline are counted and not sent, until there is another card', async () => {
    const bench = await openBench();
    const { id: customer } = await bench.customer();
    const { id } = await bench.stripe.subscriptions.create({
      customer,
      items: [{ price: (await bench.monthly(1_000)).id }],
    });
    bench.local.failCard({
      customer,
      from: new Date('2025-11-15'),
      until: new Date('2025-12-05'),
      declineCode: 'lost_card',
    });
    const made = await bench.eventsOf(() => bench.advance('2025-12-06'));
    expect(made.filter(({ type }) => type === 'charge.failed')).toHaveLength(1);
    expect((await bench.latestInvoice(id)).attempt_count).toBe(2);
    const other = await bench.stripe.paymentMethods.attach('pm_card_mastercard', { customer });
    await bench.stripe.customers.update(customer, { invoice_settings: { default_payment_method: other.id } });
    await bench.advance('2025-12-09');
    expect((await bench.stripe.subscriptions.retrieve(id)).status).toBe('active');
  });
});

describe('test cards', () => {
  it('that cannot be attached say why', async () => {
    const bench = await openBench();
    await expect(bench.customer('pm_card_chargeDeclinedInsufficientFunds')).rejects.toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'card_declined',
      decline_code: 'insufficient_funds',
    });
  });

  it('that need authentication fail off session', async () => {
    const bench = await openBench();
    const { id: customer } = await bench.customer('pm_card_authenticationRequired');
    await bench.stripe.subscriptions.create({
      customer,
      items: [{ price: (await bench.monthly(1_000)).id }],
    });
    const [intent] = (await bench.stripe.paymentIntents.list({ customer })).data;
    expect(intent).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'authentication_required' },
    });
  });

  it('can be disputed', async () => {
    const bench = await openBench();
    const items = [{ price: (await bench.monthly(1_000)).id }];
    const { id: customer } = await bench.customer();
    await bench.stripe.subscriptions.create({ customer, items });
    const [charge] = (await bench.stripe.charges.list({ customer })).data;
    const made = await bench.eventsOf(async () => bench.local.dispute(charge?.id ?? ''));
    expect(made.map(({ type }) => type)).toEqual(['charge.dispute.created']);
    expect((await bench.stripe.disputes.list()).data).toMatchObject([{ amount: 1_000 }]);
    expect((await bench.stripe.charges.list()).data.map(({ disputed }) => disputed)).toEqual([true]);
  });
});
