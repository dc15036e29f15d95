import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { at, openBench } from '../support/local-stripe.js';
import { breaches, ledgerOf } from './ledger.js';

/** A year's longest time, in milliseconds. */
const LONGEST_MS = 2_000;

describe('a year of a customer', () => {
  it('ends with a ledger that balances and every event told once, in under two seconds', async () => {
    const bench = await openBench({ start: '2025-01-20', now: () => new Date('2025-01-20') });
    const { stripe, local, advance } = bench;
    const started = process.cpuUsage();
    const seen: Stripe.Event[] = [];
    local.onWebhook((body) => seen.push(JSON.parse(body) as Stripe.Event));
    const starter = [
      await bench.monthly(2_900),
      await bench.tiered([
        [10_000, '0'],
        ['inf', '0.1'],
      ]),
    ];
    const pro = [
      await bench.monthly(9_900),
      await bench.tiered([
        [100_000, '0'],
        ['inf', '0.08'],
      ]),
    ];
    const { id: customer } = await bench.customer();
    const sub = await stripe.subscriptions.create({
      customer,
      items: starter.map(({ id: price }) => ({ price })),
      trial_end: at('2025-02-03'),
      billing_cycle_anchor: at('2025-03-01'),
    });
    const swap = (prices: Stripe.Price[], proration_behavior: 'always_invoice' | 'none') =>
      stripe.subscriptions.update(sub.id, {
        items: sub.items.data.map(({ id }, index) => ({ id, price: prices[index]?.id ?? '' })),
        proration_behavior,
      });
    local.failCard({ customer, from: new Date('2025-08-01'), until: new Date('2025-08-06') });
    for (let day = Date.parse('2025-01-25'); day <= Date.parse('2025-12-31'); day += 10 * 86_400_000) {
      const name = new Date(day).toISOString().slice(0, 10);
      await advance(name);
      await bench.use(customer, 5_000 + (day % 40_000), name);
      if (name === '2025-05-15') await swap(pro, 'always_invoice');
      if (name === '2025-08-03')
        expect((await stripe.subscriptions.retrieve(sub.id)).status).toBe('past_due');
      if (name === '2025-10-02') await swap(starter, 'none');
      if (name === '2025-12-11') await stripe.subscriptions.update(sub.id, { cancel_at_period_end: true });
    }
    await advance('2026-01-02');
    // The processor's time: what else runs on the machine is no fault of the year's.
    const { user, system } = process.cpuUsage(started);
    const elapsed = (user + system) / 1_000;

    expect((await stripe.subscriptions.retrieve(sub.id)).status).toBe('canceled');
    const { invoiced, paid, open, credited } = await ledgerOf(stripe, customer);
    console.log(
      `local_stripe.year_ms ${elapsed.toFixed(0)}: ${JSON.stringify({ invoiced, paid, open, credited })}`,
    );
    expect(invoiced).toBe(paid + open - credited);
    expect([open, credited]).toEqual([0, 0]);
    expect(await breaches(stripe, customer)).toEqual([]);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    for (const { id, status } of (await stripe.invoices.list({ customer, limit: 100 })).data) {
      const about = seen
        .filter(({ data }) => (data.object as { id: string }).id === id)
        .map(({ type }) => type);
      expect(status).toBe('paid');
      for (const type of [
        'invoice.created',
        'invoice.finalized',
        'invoice.paid',
        'invoice.payment_succeeded',
      ]) {
        expect(
          about.filter((one) => one === type),
          `${type} of ${id}`,
        ).toHaveLength(1);
      }
    }
    expect(elapsed).toBeLessThan(LONGEST_MS);
  });
});
