import { expect, it } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { differenceRows } from '../../src/billing/reconcile/difference.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { repairDifferences } from '../../src/billing/reconcile/repair-differences.js';
import { PLANS, type Plan } from '../../src/plans.js';
import { useWorlds } from './reconciliation-world.js';

/** Who subscribed before the catalogue changed keeps the old price. */
const newWorld = useWorlds();

/** A subscriber to the starter plan as it once was. @returns the world, and its books with today's catalogue */
async function joinBefore(once: Partial<Plan>) {
  const world = await newWorld();
  const { stripe, clock: testClock } = world;
  const plans = { ...PLANS, starter: { ...PLANS.starter, ...once } };
  const billing = new StripeBillingManager(stripe, {
    catalogue: await ensureCatalogue(stripe, { plans }),
    testClock,
  });
  const customerId = await world.customer('early');
  const wanted = { tenantId: 'early', customerId, planType: 'starter', trialDays: 0 } as const;
  const { subscriptionId } = await billing.createSubscription(wanted);
  await world.record('early', world.now());
  const catalogue = await ensureCatalogue(stripe);
  const today = new StripeBillingManager(stripe, { catalogue, testClock });
  return {
    world,
    billing: today,
    subscriptionId,
    customerId,
    books: () => ({ ...world.books(), catalogue }),
  };
}

it.each([
  ['a lower fee', { baseCents: 1_900n }, '2025-11: starter base fee from 2025-12-01', '$29.00', '$19.00'],
  ['a higher fee', { baseCents: 3_900n }, '2025-11: starter base fee from 2025-12-01', '$29.00', '$39.00'],
  [
    'more included queries',
    { includedQueries: 20_000 },
    '2025-11: starter queries, included from 2025-11-01',
    '$10.00',
    '$0.00',
  ],
] as const)('%s is neither charged nor credited', async (_, once, what, expected, found) => {
  const { world, books, customerId } = await joinBefore(once);
  await world.use('early', { '2025-11-01T00:00:00Z': 20_000 });
  await world.sync('2025-11');
  await world.advance('2025-12-02T00:00:00Z');
  const differences = await reconcile(books());
  const repair = 'by hand: an older price holds';
  expect(differenceRows(differences)).toMatchObject([{ class: 'amount', what, expected, found, repair }]);
  expect(await repairDifferences(differences, books(), { dryRun: false })).toMatchObject([
    { outcome: 'left to a person' },
  ]);
  expect((await world.stripe.invoiceItems.list({ customer: customerId, pending: true })).data).toEqual([]);
  expect(await world.stripe.customers.retrieve(customerId)).toMatchObject({ balance: 0 });
});

it("what is credited of it at an upgrade is for a person, and today's price is not", async () => {
  const { world, books, billing, subscriptionId } = await joinBefore({ baseCents: 1_900n });
  await world.advance('2025-11-16T00:00:00Z');
  await billing.changePlan({ subscriptionId, planType: 'pro' });
  await world.record('early', '2025-11-16', { plan: 'pro' });
  await world.advance('2025-12-02T00:00:00Z');
  await world.use('early', { '2025-11-20T00:00:00Z': 101_000 }, '2025-12-02T00:00:00Z');
  const told = differenceRows(await reconcile(books())).map(({ what, repair }) => [what, repair]);
  expect(told).toEqual([
    ['2025-11: Unused time on starter after 2025-11-16 from 2025-11-16', 'by hand: an older price holds'],
    [expect.stringContaining('queries of 2025-11-16'), 'charge $0.80 for 2025-11 on the next invoice'],
  ]);
});

it('a line that is missing was due at the older price', async () => {
  const { world, books, subscriptionId } = await joinBefore({ baseCents: 1_900n });
  const { basePriceId, usagePriceId } = books().catalogue.plans.pro;
  const { items } = await world.stripe.subscriptions.retrieve(subscriptionId);
  await world.advance('2025-11-16T00:00:00Z');
  // By somebody who left the prorations out.
  await world.stripe.subscriptions.update(subscriptionId, {
    items: items.data.map(({ id, price }) => ({
      id,
      price: price.recurring?.usage_type === 'metered' ? usagePriceId : basePriceId,
    })),
    proration_behavior: 'none',
    metadata: { plan: 'pro' },
  });
  await world.record('early', '2025-11-16', { plan: 'pro' });
  await world.advance('2025-11-16T02:00:00Z');
  const told = differenceRows(await reconcile(books(), { months: ['2025-11'] })).map(({ what, repair }) => [
    what,
    repair,
  ]);
  expect(told).toEqual([
    ['2025-11: Unused time on starter after 2025-11-16 from 2025-11-16', 'by hand: an older price holds'],
    [
      '2025-11: Remaining time on pro after 2025-11-16 from 2025-11-16',
      'charge $49.50 for 2025-11 on the next invoice',
    ],
  ]);
});
