import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { type Bench, openBench } from '../support/local-stripe.js';
import { breaches } from './ledger.js';

/** One thing that happens to a customer. */
type Deed =
  | { do: 'wait'; hours: number }
  | { do: 'use'; amount: number }
  | {
      do: 'change';
      plan: number;
      behavior: 'create_prorations' | 'always_invoice' | 'none';
      quantity: number;
    }
  | { do: 'end'; how: 'period' | 'undo' | 'now' | 'bill' | 'credit' }
  | { do: 'card'; days: number }
  | { do: 'credit'; amount: number }
  | { do: 'preview'; plan: number }
  | { do: 'charge'; amount: number }
  | { do: 'settle'; how: 'pay' | 'void' | 'write_off' | 'out_of_band' };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 24 * 40 }) }),
  fc.record({ do: fc.constant('use' as const), amount: fc.integer({ min: -50, max: 5_000 }) }),
  fc.record({
    do: fc.constant('change' as const),
    plan: fc.nat({ max: 2 }),
    behavior: fc.constantFrom('create_prorations' as const, 'always_invoice' as const, 'none' as const),
    quantity: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    do: fc.constant('end' as const),
    how: fc.constantFrom('period', 'undo', 'now', 'bill', 'credit'),
  }),
  fc.record({ do: fc.constant('card' as const), days: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ do: fc.constant('credit' as const), amount: fc.integer({ min: -3_000, max: 3_000 }) }),
  fc.record({ do: fc.constant('preview' as const), plan: fc.nat({ max: 2 }) }),
  fc.record({ do: fc.constant('charge' as const), amount: fc.integer({ min: -500, max: 3_000 }) }),
  fc.record({
    do: fc.constant('settle' as const),
    how: fc.constantFrom('pay', 'void', 'write_off', 'out_of_band'),
  }),
) as fc.Arbitrary<Deed>;

const history = fc.record({
  trialDays: fc.constantFrom(0, 0, 10),
  deeds: fc.array(deed, { minLength: 3, maxLength: 14 }),
});

const seed = Number(process.env.FC_SEED) || Date.now() % 2 ** 31;

/** All that is kept, in its order, but for the answers to keys. */
const rowsOf = ({ local }: Bench) =>
  (JSON.parse(local.snapshot()) as { changes: unknown[][] }).changes.filter(
    ([table]) => table !== 'idempotency key',
  );

/** Lives a history; what Stripe refuses is no part of it. Each call is made twice under one key when `twice`. */
async function live(bench: Bench, { trialDays, deeds }: { trialDays: number; deeds: Deed[] }, twice = false) {
  const { stripe } = bench;
  let count = 0;
  const call = async (make: (options: { idempotencyKey: string }) => Promise<unknown>) => {
    count += 1;
    const options = { idempotencyKey: `call ${count}` };
    for (let time = 0; time < (twice ? 2 : 1); time += 1) {
      await make(options).catch((error: { type?: string }) => {
        if (error.type !== 'StripeInvalidRequestError' && error.type !== 'StripeCardError') throw error;
      });
    }
  };
  const plans = [await bench.monthly(1_000), await bench.monthly(3_333), await bench.monthly(333)];
  const usage = await bench.tiered([
    [100, '0'],
    ['inf', '0.7'],
  ]);
  const { id: customer } = await bench.customer();
  const { id, items } = await stripe.subscriptions.create({
    customer,
    items: [{ price: plans[0]?.id ?? '' }, { price: usage.id }],
    ...(trialDays > 0 && { trial_period_days: trialDays }),
  });
  const seen = new Map<string, string>();
  let { frozen_time: now } = bench.clock;
  for (const one of deeds) {
    const [invoice] = (await stripe.invoices.list({ customer, status: 'open' })).data;
    if (one.do === 'wait') {
      now += one.hours * 3_600;
      await bench.advance(new Date(now * 1_000).toISOString());
    } else if (one.do === 'use') {
      const payload = { stripe_customer_id: customer, value: String(one.amount) };
      await call((options) => stripe.billing.meterEvents.create({ event_name: 'queries', payload }, options));
    } else if (one.do === 'change') {
      const change = {
        id: items.data[0]?.id ?? '',
        price: plans[one.plan]?.id ?? '',
        quantity: one.quantity,
      };
      await call((options) =>
        stripe.subscriptions.update(id, { items: [change], proration_behavior: one.behavior }, options),
      );
    } else if (one.do === 'end') {
      if (one.how === 'period' || one.how === 'undo') {
        await call((options) =>
          stripe.subscriptions.update(id, { cancel_at_period_end: one.how === 'period' }, options),
        );
      } else {
        await stripe.subscriptions
          .cancel(id, { invoice_now: one.how !== 'now', prorate: one.how === 'credit' })
          .catch(() => undefined);
      }
    } else if (one.do === 'card') {
      const from = new Date(now * 1_000);
      bench.local.failCard({ customer, from, until: new Date(from.getTime() + one.days * 86_400_000) });
    } else if (one.do === 'credit') {
      await call((options) =>
        stripe.customers.createBalanceTransaction(customer, { amount: one.amount, currency: 'usd' }, options),
      );
    } else if (one.do === 'preview') {
      const before = rowsOf(bench);
      const subscription_details = {
        items: [{ id: items.data[0]?.id ?? '', price: plans[one.plan]?.id ?? '' }],
      };
      await stripe.invoices.createPreview({ subscription: id, subscription_details }).catch(() => undefined);
      expect(rowsOf(bench), 'a preview changed something').toEqual(before);
    } else if (one.do === 'charge') {
      await call((options) => stripe.invoiceItems.create({ customer, amount: one.amount }, options));
    } else if (invoice?.id) {
      const { id: open } = invoice;
      await call((options) => {
        if (one.how === 'void') return stripe.invoices.voidInvoice(open, {}, options);
        if (one.how === 'write_off') return stripe.invoices.markUncollectible(open, {}, options);
        return stripe.invoices.pay(open, { paid_out_of_band: one.how === 'out_of_band' }, options);
      });
    }
    for await (const paid of stripe.invoices.list({ customer, status: 'paid', limit: 100 })) {
      const figures = JSON.stringify(paid);
      expect(figures, 'a paid invoice changed').toBe(seen.get(paid.id ?? '') ?? figures);
      seen.set(paid.id ?? '', figures);
    }
  }
  return customer;
}

describe('random histories', () => {
  console.log(`properties seed ${seed}`);

  it('keep the ledger: lines make totals, balances have reasons, paid invoices never change', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const bench = await openBench();
        const customer = await live(bench, one);
        expect(await breaches(bench.stripe, customer)).toEqual([]);
      }),
      { numRuns: 60, seed },
    );
  });

  it('come out the same when every call is repeated under its key', async () => {
    const figures = async (one: { trialDays: number; deeds: Deed[] }, twice: boolean) => {
      const bench = await openBench();
      const customer = await live(bench, one, twice);
      const invoices = await bench.stripe.invoices.list({ customer, limit: 100 });
      const { balance } = (await bench.stripe.customers.retrieve(customer)) as { balance: number };
      return [
        balance,
        invoices.data.map(({ status, total, amount_paid: paid, lines }) => [
          status,
          total,
          paid,
          lines.data.length,
        ]),
      ];
    };
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        expect(await figures(one, true)).toEqual(await figures(one, false));
      }),
      { numRuns: 15, seed },
    );
  });

  it('go on from a snapshot as if nothing had been', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const bench = await openBench();
        await live(bench, one);
        const copy = createLocalStripe({
          seed: 'test',
          now: () => new Date('2025-11-01'),
          snapshot: bench.local.snapshot(),
        });
        const later = bench.clock.frozen_time + 200 * 86_400;
        const ends = await Promise.all(
          [bench.local, copy].map(async (local) => {
            const stripe = local.client();
            for (
              let time = (await stripe.testHelpers.testClocks.retrieve(bench.clock.id)).frozen_time;
              time < later;
            ) {
              time = Math.min(time + 30 * 86_400, later);
              await stripe.testHelpers.testClocks.advance(
                bench.clock.id,
                { frozen_time: time },
                { idempotencyKey: `to ${time}` },
              );
              await local.settled();
            }
            return (await stripe.invoices.list({ limit: 100 })).data.map(({ id, total, status }) => [
              id,
              total,
              status,
            ]);
          }),
        );
        expect(ends[0]).toEqual(ends[1]);
      }),
      { numRuns: 10, seed },
    );
  });
});
