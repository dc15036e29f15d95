import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
const HOUR = 3_600;

/** A customer with a subscription at $10. */
async function subscribed(params: object = {}) {
  const price = await bench.monthly(1_000);
  const customer = await bench.customer();
  const sub = await bench.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    ...params,
  });
  return { customer, price, sub };
}

describe('the first invoice', () => {
  it('is finalized and charged within the call', async () => {
    const { sub } = await subscribed();
    expect(await bench.latestInvoice(sub.id)).toMatchObject({
      status: 'paid',
      billing_reason: 'subscription_create',
      amount_paid: 1_000,
      attempt_count: 1,
      attempted: true,
    });
  });

  it('stays a draft for an hour when it is sent', async () => {
    const { sub } = await subscribed({ collection_method: 'send_invoice', days_until_due: 7 });
    expect(await bench.latestInvoice(sub.id)).toMatchObject({ status: 'draft', next_payment_attempt: null });
    await bench.advance('2025-11-01T01:00:00Z');
    const invoice = await bench.latestInvoice(sub.id);
    expect(invoice).toMatchObject({ status: 'open', attempted: false, due_date: at('2025-11-08') });
    await bench.advance('2025-11-08T00:00:00Z');
    expect((await bench.stripe.subscriptions.retrieve(sub.id)).status).toBe('past_due');
    await bench.stripe.invoices.pay(invoice.id ?? '', { paid_out_of_band: true });
    expect((await bench.stripe.subscriptions.retrieve(sub.id)).status).toBe('active');
  });
});

describe('a renewal', () => {
  it('is a draft from the boundary, and is finalized and charged an hour later', async () => {
    const { sub } = await subscribed();
    await bench.advance('2025-12-01T00:00:00Z');
    const draft = await bench.latestInvoice(sub.id);
    const boundary = at('2025-12-01');
    expect(draft).toMatchObject({
      status: 'draft',
      created: boundary,
      number: null,
      effective_at: null,
      automatically_finalizes_at: boundary + HOUR + 1,
      next_payment_attempt: boundary + HOUR,
      period_start: at('2025-11-01'),
      period_end: boundary,
    });
    await bench.advance('2025-12-01T00:59:59Z');
    expect((await bench.latestInvoice(sub.id)).status).toBe('draft');
    await bench.advance('2025-12-01T01:00:00Z');
    expect(await bench.latestInvoice(sub.id)).toMatchObject({
      status: 'paid',
      effective_at: boundary + HOUR,
      automatically_finalizes_at: null,
      next_payment_attempt: null,
    });
  });

  it('bills licensed items for the new period and metered ones for the ended one', async () => {
    const [base, usage] = [await bench.monthly(1_000), await bench.tiered([['inf', '1']])];
    const { id: customer } = await bench.customer();
    const sub = await bench.stripe.subscriptions.create({
      customer,
      items: [{ price: base.id }, { price: usage.id }],
    });
    await bench.use(customer, 7);
    await bench.advance('2025-12-02');
    const { lines } = await bench.latestInvoice(sub.id);
    const [ended, next] = [at('2025-11-01'), at('2025-12-01')];
    expect(lines.data.map(({ amount, period }) => [amount, period])).toEqual([
      [1_000, { start: next, end: at('2026-01-01') }],
      [7, { start: ended, end: next }],
    ]);
  });

  it('leaves usage of the boundary’s second to the next period', async () => {
    const usage = await bench.tiered([['inf', '1']]);
    const { id: customer } = await bench.customer();
    const sub = await bench.stripe.subscriptions.create({ customer, items: [{ price: usage.id }] });
    await bench.use(customer, 300, '2025-11-01');
    await bench.advance('2025-12-01T00:30:00Z');
    await bench.use(customer, 500, '2025-12-01');
    await bench.advance('2025-12-01T01:00:00Z');
    expect((await bench.latestInvoice(sub.id)).total).toBe(300);
    await bench.advance('2026-01-02');
    expect((await bench.latestInvoice(sub.id)).total).toBe(500);
  });

  it('takes pending invoice items along', async () => {
    const { sub, customer } = await subscribed();
    await bench.stripe.invoiceItems.create({
      customer: customer.id,
      amount: -250,
      description: 'Late usage of October',
    });
    await bench.advance('2025-12-02');
    const invoice = await bench.latestInvoice(sub.id);
    expect(invoice.total).toBe(750);
    expect(await bench.linesOf(invoice)).toEqual([
      [-250, 'Late usage of October'],
      [1_000, '1 × Pro (at $10.00 / month)'],
    ]);
  });
});

describe('usage grace', () => {
  it('counts usage until the invoice is final, and later usage on no invoice', async () => {
    bench = await openBench({ usageGraceHours: 72 });
    const usage = await bench.tiered([['inf', '1']]);
    const { id: customer } = await bench.customer();
    const sub = await bench.stripe.subscriptions.create({ customer, items: [{ price: usage.id }] });
    await bench.use(customer, 100, '2025-11-01');
    await bench.advance('2025-12-03');
    expect((await bench.latestInvoice(sub.id)).total).toBe(100);
    await bench.use(customer, 500, '2025-11-30');
    await bench.advance('2025-12-04');
    expect(await bench.latestInvoice(sub.id)).toMatchObject({ total: 600, status: 'paid' });
    await bench.use(customer, 900, '2025-11-29');
    await bench.advance('2026-01-05');
    expect((await bench.latestInvoice(sub.id)).total).toBe(0);
  });

  it('is kept when a draft is told to advance by itself', async () => {
    bench = await openBench({ usageGraceHours: 72 });
    const usage = await bench.tiered([['inf', '1']]);
    const { id: customer } = await bench.customer();
    const sub = await bench.stripe.subscriptions.create({ customer, items: [{ price: usage.id }] });
    await bench.advance('2025-12-01T00:10:00Z');
    const draft = await bench.latestInvoice(sub.id);
    await bench.stripe.invoices.update(draft.id ?? '', { auto_advance: false });
    expect(await bench.stripe.invoices.update(draft.id ?? '', { auto_advance: true })).toMatchObject({
      automatically_finalizes_at: draft.automatically_finalizes_at,
      next_payment_attempt: draft.next_payment_attempt,
    });
    await bench.advance('2025-12-03');
    expect((await bench.latestInvoice(sub.id)).status).toBe('draft');
    await bench.advance('2025-12-04');
    expect((await bench.latestInvoice(sub.id)).status).toBe('paid');
  });

  it('is for renewals that bill usage only', async () => {
    bench = await openBench({ usageGraceHours: 72 });
    const { sub } = await subscribed();
    await bench.advance('2025-12-01T01:00:00Z');
    expect((await bench.latestInvoice(sub.id)).status).toBe('paid');
  });
});

describe('finalization', () => {
  it('gives numbers in the customer’s own sequence', async () => {
    const { customer, sub } = await subscribed();
    await bench.advance('2025-12-02');
    const numbers = (await bench.stripe.invoices.list({ subscription: sub.id })).data.map(
      ({ number }) => number,
    );
    expect(numbers).toEqual([`${customer.invoice_prefix}-0002`, `${customer.invoice_prefix}-0001`]);
  });

  it('collects nothing when it is asked for by a call', async () => {
    const { customer } = await subscribed();
    await bench.stripe.invoiceItems.create({ customer: customer.id, amount: 700 });
    const draft = await bench.stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: 'include',
    });
    const invoice = await bench.stripe.invoices.finalizeInvoice(draft.id ?? '');
    expect(invoice).toMatchObject({ status: 'open', attempted: false, amount_due: 700 });
    await expect(bench.stripe.invoices.finalizeInvoice(draft.id ?? '')).rejects.toThrow(
      "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
    );
  });

  it('waits up to 72 hours for an endpoint to confirm invoice.created', async () => {
    const { sub } = await subscribed();
    let refuses = true;
    bench.local.onWebhook(
      () => {
        if (refuses) throw new Error('not now');
      },
      { events: ['invoice.created'] },
    );
    await bench.advance('2025-12-03');
    expect((await bench.latestInvoice(sub.id)).status).toBe('draft');
    refuses = false;
    await bench.advance('2025-12-04');
    expect((await bench.latestInvoice(sub.id)).status).toBe('paid');
  });

  it('happens after 72 hours even if no endpoint confirms', async () => {
    const { sub } = await subscribed();
    bench.local.onWebhook(() => Promise.reject(new Error('never')), { events: ['invoice.created'] });
    await bench.advance('2025-12-03T23:59:59Z');
    expect((await bench.latestInvoice(sub.id)).status).toBe('draft');
    await bench.advance('2025-12-04T00:00:00Z');
    expect((await bench.latestInvoice(sub.id)).status).toBe('paid');
  });
});

describe('the method that pays', () => {
  it('is the invoice’s, else the subscription’s, else the customer’s', async () => {
    const { customer, sub } = await subscribed();
    const attach = () => bench.stripe.paymentMethods.attach('pm_card_mastercard', { customer: customer.id });
    const [own, subs] = [await attach(), await attach()];
    const used = async (id: string) => {
      const [charge] = (await bench.stripe.charges.list({ customer: customer.id, limit: 1 })).data;
      return [(await bench.stripe.invoices.retrieve(id)).status, charge?.payment_method];
    };
    await bench.stripe.subscriptions.update(sub.id, { default_payment_method: subs.id });
    await bench.advance('2025-12-01T02:00:00Z');
    expect(await used((await bench.latestInvoice(sub.id)).id ?? '')).toEqual(['paid', subs.id]);
    await bench.advance('2026-01-01T00:00:00Z');
    const draft = await bench.latestInvoice(sub.id);
    await bench.stripe.invoices.update(draft.id ?? '', { default_payment_method: own.id });
    await bench.advance('2026-01-01T02:00:00Z');
    expect(await used(draft.id ?? '')).toEqual(['paid', own.id]);
  });
});
