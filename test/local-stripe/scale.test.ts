import { describe, expect, it } from 'vitest';
import { at, openBench } from '../support/local-stripe.js';

const SUBSCRIPTIONS = 1_000;

describe('a thousand subscriptions', () => {
  it('are renewed with usage in one advance of the clock', { timeout: 180_000 }, async () => {
    const bench = await openBench({ clockLimits: false });
    const base = await bench.monthly(2_900);
    const usage = await bench.tiered([
      [10, '0'],
      ['inf', '0.1'],
    ]);
    for (let n = 0; n < SUBSCRIPTIONS; n += 1) {
      const { id: customer } = await bench.customer();
      await bench.stripe.subscriptions.create({ customer, items: [{ price: base.id }, { price: usage.id }] });
      await bench.use(customer, 1_010);
    }
    await bench.advance('2025-12-01T01:00:00Z');
    const paid = await bench.stripe.invoices
      .list({ status: 'paid', created: { gte: at('2025-12-01') }, limit: 100 })
      .autoPagingToArray({ limit: 10_000 });
    expect(paid).toHaveLength(SUBSCRIPTIONS);
    expect(paid.every(({ total }) => total === 3_000)).toBe(true);
  });
});
