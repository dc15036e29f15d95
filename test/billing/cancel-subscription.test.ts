import { beforeEach, describe, expect, it } from 'vitest';
import { SubscriptionEndedError } from '../../src/billing/billing-errors.js';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { type ManagerWorld, managerWorld } from './manager-world.js';

let world: ManagerWorld;
let subscriptionId: string;
beforeEach(async () => {
  world = await managerWorld();
  await world.addCard();
  ({ subscriptionId } = await world.subscribe('pro', 0));
});

const isLeaving = async () =>
  (await world.stripe.subscriptions.retrieve(subscriptionId)).cancel_at_period_end;

describe('resumeSubscription()', () => {
  it('takes back a cancellation at the end of the month, however often it is called', async () => {
    await world.billing.cancelSubscription({ subscriptionId });
    for (let time = 1; time <= 2; time += 1)
      expect(await world.billing.resumeSubscription(subscriptionId)).toMatchObject({ status: 'active' });
    expect(await isLeaving()).toBe(false);
    await world.advance('2025-12-02T00:00:00Z');
    expect(await world.billing.findSubscription(world.customerId)).toMatchObject({
      subscriptionId,
      status: 'active',
      planType: 'pro',
    });
  });

  it('keeps a cheaper plan that waits', async () => {
    await world.billing.changePlan({ subscriptionId, planType: 'starter' });
    await world.billing.cancelSubscription({ subscriptionId });
    await world.billing.resumeSubscription(subscriptionId);
    await world.advance('2025-12-01T00:10:00Z');
    expect(await world.billing.applyWaitingChange(subscriptionId)).toMatchObject({ planType: 'starter' });
  });

  it('tells of one that is over', async () => {
    await world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    await expect(world.billing.resumeSubscription(subscriptionId)).rejects.toThrow(
      new SubscriptionEndedError(subscriptionId, 'canceled'),
    );
  });
});

describe('cancelSubscription()', () => {
  it('at the end of the month writes under a key of what it means to do', async () => {
    const keys = world.watchKeys();
    await world.billing.cancelSubscription({ subscriptionId });
    await world.billing.resumeSubscription(subscriptionId);
    expect(keys).toEqual([`leave:${subscriptionId}:1`, `stay:${subscriptionId}:2`]);
  });

  it('and taking it back follow every change of mind of a day', async () => {
    for (let time = 1; time <= 3; time += 1) {
      await world.billing.cancelSubscription({ subscriptionId });
      expect(await isLeaving()).toBe(true);
      await world.billing.resumeSubscription(subscriptionId);
      expect(await isLeaving()).toBe(false);
    }
  });

  it('follows one that was changed in Stripe’s dashboard meanwhile', async () => {
    for (let time = 1; time <= 2; time += 1) {
      await world.stripe.subscriptions.update(subscriptionId, { cancel_at_period_end: true });
      await world.billing.resumeSubscription(subscriptionId);
      expect(await isLeaving()).toBe(false);
    }
  });

  it('changes nothing when the usage cannot be reported', async () => {
    const { stripe, catalogue, clock } = world;
    const beforeChange = async () => {
      throw new Error('not reported');
    };
    const careful = new StripeBillingManager(stripe, { catalogue, testClock: clock, beforeChange });
    const cancel = careful.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    await expect(cancel).rejects.toThrow('not reported');
    await expect(careful.changePlan({ subscriptionId, planType: 'enterprise' })).rejects.toThrow(
      'not reported',
    );
    expect(await world.billing.findSubscription(world.customerId)).toMatchObject({
      status: 'active',
      planType: 'pro',
    });
  });
});
