import { expect, it } from 'vitest';
import { differenceRows } from '../../src/billing/reconcile/difference.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { useWorlds } from './reconciliation-world.js';

const newWorld = useWorlds();

it('a second subscription is left to a person where the first one ends with its month', async () => {
  const world = await newWorld();
  const first = await world.join('leaves');
  const { customer, items } = await world.stripe.subscriptions.retrieve(first);
  await world.billing.cancelSubscription({ subscriptionId: first });
  const second = await world.stripe.subscriptions.create({
    customer: String(customer),
    items: items.data.map(({ price }) => ({ price: price.id })),
    trial_period_days: 30,
    metadata: { tenant_id: 'leaves', plan: 'starter' },
  });
  const repair = `by hand: ${first} ends with its period; one of them has to go on`;
  expect(differenceRows(await reconcile(world.books()))).toMatchObject([{ class: 'duplicate', repair }]);
  await world.repairAll();
  expect((await world.stripe.subscriptions.retrieve(second.id)).status).toBe('trialing');
});
