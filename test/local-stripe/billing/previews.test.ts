import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let customer: string;
let id: string;
let item: string;
beforeEach(async () => {
  bench = await openBench();
  ({ id: customer } = await bench.customer());
  const price = (await bench.monthly(1_000)).id;
  const made = await bench.stripe.subscriptions.create({ customer, items: [{ price }] });
  id = made.id;
  item = made.items.data[0]?.id ?? '';
});

const preview = (subscription_details: Stripe.InvoiceCreatePreviewParams.SubscriptionDetails = {}) =>
  bench.stripe.invoices.createPreview({ subscription: id, subscription_details });
const pending = async () =>
  (await bench.stripe.invoiceItems.list({ customer, pending: true })).data.map(({ amount }) => amount);

describe('createPreview()', () => {
  it('shows the next invoice, and changes nothing', async () => {
    const items = [{ id: item, price: (await bench.monthly(2_000)).id }];
    await bench.advance('2025-11-16');
    const before = bench.local.snapshot();
    const next = await preview();
    const upgrade = await preview({ items });
    const now = await preview({ items, proration_behavior: 'always_invoice' });
    expect([next.total, upgrade.total, now.total]).toEqual([1_000, 2_500, 500]);
    expect(next).toMatchObject({ status: 'draft', billing_reason: 'upcoming', period_end: at('2025-12-01') });
    expect(now).toMatchObject({
      status: 'draft',
      amount_due: 500,
      amount_paid: 0,
      amount_remaining: 500,
      attempted: false,
      effective_at: null,
      ending_balance: null,
      status_transitions: { finalized_at: null, paid_at: null },
    });
    const rows = (text: string) =>
      (JSON.parse(text) as { changes: unknown[][] }).changes.filter(([name]) => name !== 'idempotency key');
    expect(rows(bench.local.snapshot())).toEqual(rows(before));
  });

  it('has nothing to show of what ends', async () => {
    await bench.stripe.subscriptions.update(id, { cancel_at_period_end: true });
    await expect(preview()).rejects.toMatchObject({ code: 'invoice_upcoming_none' });
  });

  it('does not change the order of what waits', async () => {
    for (const amount of [10, 20, 30]) await bench.stripe.invoiceItems.create({ customer, amount });
    const before = await pending();
    const shown = await preview();
    expect(await pending()).toEqual(before);
    await bench.advance('2025-12-02');
    const { lines } = await bench.latestInvoice(id);
    expect(lines.data.map(({ amount }) => amount)).toEqual(shown.lines.data.map(({ amount }) => amount));
  });
});
