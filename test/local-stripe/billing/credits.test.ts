import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench({ retryDays: [60] });
});

async function subscribed(cents: number) {
  const { id: customer } = await bench.customer();
  const price = (await bench.monthly(cents)).id;
  const { id, items } = await bench.stripe.subscriptions.create({ customer, items: [{ price }] });
  return { customer, price, id, item: items.data[0]?.id ?? '' };
}
/** A subscription whose renewal of 1 December is open, and on the 16th a change to half its price. */
async function downgradedUnpaid(
  proration_behavior: Stripe.SubscriptionUpdateParams.ProrationBehavior = 'create_prorations',
) {
  const { customer, id, item } = await subscribed(3_100);
  bench.local.failCard({ customer, from: new Date('2025-11-15'), until: new Date('2025-12-15') });
  await bench.advance('2025-12-01T01:00:00Z');
  const renewal = (await bench.latestInvoice(id)).id ?? '';
  await bench.advance('2025-12-16');
  const price = (await bench.monthly(1_550)).id;
  await bench.stripe.subscriptions.update(id, { items: [{ id: item, price }], proration_behavior });
  return { customer, id, renewal };
}
/** What waits for the next invoice, oldest first. */
const pending = async (customer: string) =>
  (await bench.stripe.invoiceItems.list({ customer, pending: true })).data
    .map(({ amount, description }) => [amount, description])
    .reverse();

const CREDIT = 'Unused time on Pro after 16 Dec 2025';
const CHARGE = 'Remaining time on Pro after 16 Dec 2025';

describe('the time of an open invoice', () => {
  it('is credited as if it were paid, as Stripe documents', async () => {
    const { customer } = await downgradedUnpaid();
    expect(await pending(customer)).toEqual([
      [-1_600, CREDIT],
      [800, CHARGE],
    ]);
  });

  it.each(['voidInvoice', 'markUncollectible'] as const)(
    'is charged again when the credit comes before %s',
    async (writeOff) => {
      const { customer, renewal } = await downgradedUnpaid();
      await bench.stripe.invoices[writeOff](renewal);
      expect(await pending(customer)).toEqual([
        [-1_600, CREDIT],
        [800, CHARGE],
        [1_600, `${CREDIT}: taken back, its invoice was not paid`],
      ]);
    },
  );

  it('leaves no balance out of nothing when the credit was billed before it is void', async () => {
    const { customer, id, renewal } = await downgradedUnpaid('always_invoice');
    expect(await bench.stripe.customers.retrieve(customer)).toMatchObject({ balance: -800 });
    await bench.stripe.invoices.voidInvoice(renewal);
    await bench.advance('2026-01-01T02:00:00Z');
    expect(await bench.latestInvoice(id)).toMatchObject({
      total: 1_550 + 1_600,
      amount_paid: 1_550 + 1_600 - 800,
    });
    expect(await bench.stripe.customers.retrieve(customer)).toMatchObject({ balance: 0 });
  });
});

describe('a last invoice that is a credit', () => {
  it('leaves the balance alone when it is void, since it never took anything from there', async () => {
    const { customer, id } = await subscribed(1_000);
    await bench.advance('2025-11-16');
    await bench.stripe.customers.createBalanceTransaction(customer, { amount: -300, currency: 'usd' });
    await bench.stripe.subscriptions.cancel(id, { invoice_now: true, prorate: true });
    const last = await bench.latestInvoice(id);
    expect(last).toMatchObject({ status: 'uncollectible', total: -500, starting_balance: -300 });
    await bench.stripe.invoices.voidInvoice(last.id ?? '');
    expect(await bench.stripe.customers.retrieve(customer)).toMatchObject({ balance: -300 });
  });
});

describe('what waits when a subscription is canceled at once', () => {
  /** Upgraded in the middle of its period: a credit and a charge wait. */
  async function upgraded() {
    const { customer, id, item } = await subscribed(1_000);
    await bench.advance('2025-11-16');
    const price = (await bench.monthly(2_000)).id;
    await bench.stripe.subscriptions.update(id, { items: [{ id: item, price }] });
    await bench.stripe.invoiceItems.create({ customer, subscription: id, amount: 70, description: 'Help' });
    return { customer, id };
  }

  it('loses its prorations; what a call made stays', async () => {
    const { customer, id } = await upgraded();
    const events = await bench.eventsOf(() => bench.stripe.subscriptions.cancel(id));
    expect(events.map(({ type }) => type)).toEqual([
      'invoiceitem.deleted',
      'invoiceitem.deleted',
      'customer.subscription.deleted',
    ]);
    expect(await pending(customer)).toEqual([[70, 'Help']]);
  });

  it('goes on the next invoice of the customer with prorate: credits with their charges', async () => {
    const { customer, id } = await upgraded();
    await bench.stripe.subscriptions.cancel(id, { prorate: true });
    const price = (await bench.monthly(5_000)).id;
    const next = await bench.stripe.subscriptions.create({ customer, items: [{ price }] });
    expect((await bench.latestInvoice(next.id)).total).toBe(5_000 - 500 + 1_000 - 1_000 + 70);
    expect(await pending(customer)).toEqual([]);
  });

  it('stays with its subscription while that lives', async () => {
    const { customer, id } = await upgraded();
    const price = (await bench.monthly(5_000)).id;
    const other = await bench.stripe.subscriptions.create({ customer, items: [{ price }] });
    expect((await bench.latestInvoice(other.id)).total).toBe(5_000);
    await bench.advance('2025-12-02');
    expect((await bench.latestInvoice(id)).total).toBe(2_000 - 500 + 1_000 + 70);
  });
});

describe('an item that was metered', () => {
  it('is credited for its time alone, not for the usage that was billed with it', async () => {
    const { id: customer } = await bench.customer();
    const metered = (await bench.tiered([['inf', '1']])).id;
    const { id, items } = await bench.stripe.subscriptions.create({ customer, items: [{ price: metered }] });
    await bench.use(customer, 600);
    await bench.advance('2025-11-16');
    const { id: price } = await bench.monthly(1_000, { recurring: { interval: 'year' } });
    await bench.stripe.subscriptions.update(id, { items: [{ id: items.data[0]?.id ?? '', price }] });
    expect((await bench.latestInvoice(id)).total).toBe(1_600);
    await bench.stripe.subscriptions.cancel(id, { prorate: true });
    expect(await pending(customer)).toEqual([[-1_000, 'Unused time on Pro after 16 Nov 2025']]);
  });
});
