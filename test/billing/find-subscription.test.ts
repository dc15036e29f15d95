import { expect, it } from 'vitest';
import { managerWorld } from './manager-world.js';

it('findSubscription() gives the one that lives, whatever was made after it and has ended', async () => {
  const { stripe, billing, customerId, ...world } = await managerWorld();
  await world.addCard();
  const { subscriptionId } = await world.subscribe('starter', 0);
  // A double, and its repair.
  const { basePriceId: price } = world.catalogue.plans.pro;
  const metadata = { tenant_id: 'acme-corp', plan: 'pro' };
  const { id } = await stripe.subscriptions.create({ customer: customerId, items: [{ price }], metadata });
  await stripe.subscriptions.cancel(id);
  expect(await billing.findSubscription(customerId)).toMatchObject({ subscriptionId, planType: 'starter' });
  await billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
  expect((await billing.findSubscription(customerId))?.status).toBe('canceled');
});
