import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});

describe('small, negative and empty totals', () => {
  it.each([1, 4, 49])('moves a total of %i below the smallest charge to the balance', async (total) => {
    const { id: customer } = await bench.customer();
    await bench.stripe.invoiceItems.create({ customer, amount: total });
    const draft = await bench.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    const invoice = await bench.stripe.invoices.pay(draft.id ?? '');
    expect(invoice).toMatchObject({
      status: 'paid',
      amount_due: 0,
      amount_paid: 0,
      ending_balance: total,
      attempt_count: 0,
    });
    expect(await bench.stripe.customers.retrieve(customer)).toMatchObject({ balance: total });
    await bench.stripe.invoiceItems.create({ customer, amount: 50 });
    const next = await bench.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    expect(await bench.stripe.invoices.pay(next.id ?? '')).toMatchObject({
      starting_balance: total,
      amount_paid: 50 + total,
    });
  });

  it('charges the smallest charge', async () => {
    const { id: customer } = await bench.customer();
    await bench.stripe.invoiceItems.create({ customer, amount: 50 });
    const draft = await bench.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    expect(await bench.stripe.invoices.pay(draft.id ?? '')).toMatchObject({
      amount_paid: 50,
      ending_balance: 0,
    });
  });

  it('pays an invoice from credit, and charges the rest', async () => {
    const { id: customer } = await bench.customer();
    await bench.stripe.customers.createBalanceTransaction(customer, { amount: -600, currency: 'usd' });
    await bench.stripe.invoiceItems.create({ customer, amount: 1_000 });
    const draft = await bench.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    expect(await bench.stripe.invoices.pay(draft.id ?? '')).toMatchObject({
      total: 1_000,
      starting_balance: -600,
      ending_balance: 0,
      amount_due: 400,
      amount_paid: 400,
    });
  });

  it('pays an invoice of nothing at once', async () => {
    const { id: customer } = await bench.customer(null);
    const draft = await bench.stripe.invoices.create({ customer });
    expect(await bench.stripe.invoices.finalizeInvoice(draft.id ?? '')).toMatchObject({
      status: 'paid',
      attempted: true,
      attempt_count: 0,
    });
  });
});

describe('what can be done with an invoice', () => {
  async function open() {
    const { id: customer } = await bench.customer();
    await bench.stripe.invoiceItems.create({ customer, amount: 1_000 });
    const draft = await bench.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    return (await bench.stripe.invoices.finalizeInvoice(draft.id ?? '')).id ?? '';
  }

  it('pays it once', async () => {
    const id = await open();
    expect(await bench.stripe.invoices.pay(id)).toMatchObject({ status: 'paid', attempt_count: 1 });
    await expect(bench.stripe.invoices.pay(id)).rejects.toThrow('Invoice is already paid');
    await expect(bench.stripe.invoices.voidInvoice(id)).rejects.toThrow(
      'Invoices with `paid` payments cannot be voided.',
    );
    await expect(bench.stripe.invoices.markUncollectible(id)).rejects.toThrow(
      "You can only pass in open invoices. This invoice isn't open.",
    );
  });

  it('voids what was given up as uncollectible', async () => {
    const id = await open();
    await bench.stripe.invoices.markUncollectible(id);
    expect((await bench.stripe.invoices.voidInvoice(id)).status).toBe('void');
  });

  it('pays it out of band without a charge', async () => {
    const id = await open();
    expect(await bench.stripe.invoices.pay(id, { paid_out_of_band: true })).toMatchObject({
      status: 'paid',
      attempted: false,
      amount_paid: 1_000,
    });
    expect((await bench.stripe.charges.list()).data).toEqual([]);
  });

  it('voids it, and gives back what it took from the balance', async () => {
    const { id: customer } = await bench.customer();
    await bench.stripe.customers.createBalanceTransaction(customer, { amount: -600, currency: 'usd' });
    await bench.stripe.invoiceItems.create({ customer, amount: 1_000 });
    const draft = await bench.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    await bench.stripe.invoices.finalizeInvoice(draft.id ?? '');
    expect(await bench.stripe.customers.retrieve(customer)).toMatchObject({ balance: 0 });
    expect(await bench.stripe.invoices.voidInvoice(draft.id ?? '')).toMatchObject({ status: 'void' });
    expect(await bench.stripe.customers.retrieve(customer)).toMatchObject({ balance: -600 });
    const types = (await bench.stripe.customers.listBalanceTransactions(customer)).data.map(
      ({ type }) => type,
    );
    expect(types).toEqual(['unapplied_from_invoice', 'applied_to_invoice', 'adjustment']);
  });

  it('writes it off, after which it can still be paid', async () => {
    const id = await open();
    expect((await bench.stripe.invoices.markUncollectible(id)).status).toBe('uncollectible');
    await expect(bench.stripe.invoices.markUncollectible(id)).rejects.toThrow(
      'This invoice has already been marked uncollectible.',
    );
    expect((await bench.stripe.invoices.pay(id)).status).toBe('paid');
  });

  it('changes only metadata and payment method of a final one', async () => {
    const id = await open();
    expect((await bench.stripe.invoices.update(id, { metadata: { month: '2025-11' } })).metadata).toEqual({
      month: '2025-11',
    });
    await expect(bench.stripe.invoices.update(id, { description: 'x' })).rejects.toMatchObject({
      message: "Finalized invoices can't be updated in this way",
      param: 'description',
    });
  });

  it('finalizes a manual draft by itself only if it advances', async () => {
    const { id: customer } = await bench.customer();
    const still = await bench.stripe.invoices.create({ customer });
    const moving = await bench.stripe.invoices.create({ customer, auto_advance: true });
    expect(still.automatically_finalizes_at).toBeNull();
    await bench.advance('2025-11-02');
    expect((await bench.stripe.invoices.retrieve(still.id ?? '')).status).toBe('draft');
    expect((await bench.stripe.invoices.retrieve(moving.id ?? '')).status).toBe('paid');
  });
});
