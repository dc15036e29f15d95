import Stripe from 'stripe';
import { afterAll, describe, expect, it } from 'vitest';
import { type Listening, listen } from '../../src/server/listen.js';
import { at, openBench } from '../support/local-stripe.js';

const servers: Listening[] = [];
afterAll(() => Promise.all(servers.map((server) => server.close())));

const SUBSCRIPTIONS = 1_000;
const LONGEST_SECONDS = 5;

describe('a thousand subscriptions', () => {
  it('are renewed with usage in one advance of the clock, in under five seconds', async () => {
    const bench = await openBench({ clockLimits: false });
    const [base, usage] = [
      await bench.monthly(2_900),
      await bench.tiered([
        [10, '0'],
        ['inf', '0.1'],
      ]),
    ];
    const customers: string[] = [];
    for (let n = 0; n < SUBSCRIPTIONS; n += 1) {
      const { id: customer } = await bench.customer();
      await bench.stripe.subscriptions.create({ customer, items: [{ price: base.id }, { price: usage.id }] });
      customers.push(customer);
    }
    for (const customer of customers) await bench.use(customer, 1_010);
    global.gc?.();
    const before = performance.now();
    await bench.advance('2025-12-01T01:00:00Z');
    const seconds = (performance.now() - before) / 1_000;
    const paid = await bench.stripe.invoices
      .list({ status: 'paid', created: { gte: at('2025-12-01') }, limit: 100 })
      .autoPagingToArray({ limit: 10_000 });
    expect(paid).toHaveLength(SUBSCRIPTIONS);
    expect(paid.every(({ total }) => total === 3_000)).toBe(true);
    const { heapUsed } = process.memoryUsage();
    console.log(
      `local_stripe.renew_1000_s ${seconds.toFixed(2)}, heap ${(heapUsed / 2 ** 20).toFixed(0)} MB`,
    );
    expect(seconds).toBeLessThan(LONGEST_SECONDS);
  });
});

describe('requests', () => {
  it('are answered by the hundreds in a second, in the process and over HTTP', async () => {
    const bench = await openBench();
    const server = await listen(bench.local);
    servers.push(server);
    const { hostname: host, port } = new URL(server.url);
    const remote = new Stripe('sk_test_x', { host, port: Number(port), protocol: 'http' });
    const { id } = await bench.customer();
    const payload = { stripe_customer_id: id, value: '1' };
    const rates: Record<string, number> = {};
    for (const [where, stripe] of [
      ['process', bench.stripe],
      ['http', remote],
    ] as const) {
      const count = 500;
      const before = performance.now();
      for (let n = 0; n < count; n += 1)
        await stripe.billing.meterEvents.create({ event_name: 'queries', payload });
      rates[where] = count / ((performance.now() - before) / 1_000);
    }
    console.log(
      `local_stripe.requests_s ${rates.process?.toFixed(0)} in the process, ${rates.http?.toFixed(0)} over HTTP`,
    );
    // A tenth of what an idle machine gives: the figures are for reading.
    expect(rates.process).toBeGreaterThan(100);
    expect(rates.http).toBeGreaterThan(30);
  });
});
