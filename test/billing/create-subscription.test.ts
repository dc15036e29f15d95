import { beforeEach, describe, expect, it } from 'vitest';
import { SubscriptionConflictError, SubscriptionLeavingError } from '../../src/billing/billing-errors.js';
import { MissingCardError } from '../../src/errors.js';
import { type ManagerWorld, managerWorld } from './manager-world.js';

let world: ManagerWorld;
beforeEach(async () => {
  world = await managerWorld('2025-11-15T10:00:00Z');
});

const request = (planType: 'starter' | 'pro') => {
  const { customerId } = world;
  return { customerId, planType, tenantId: 'acme-corp', trialDays: 0 };
};

describe('createSubscription()', () => {
  it('of two plans at once makes one, and gives it to both', async () => {
    await world.addCard();
    // The SDK tries again what is under way, as it does by default.
    const stripe = world.local.client();
    const made = await Promise.all(
      (['starter', 'pro'] as const).map((plan) => world.manager(stripe).createSubscription(request(plan))),
    );
    expect(new Set(made.map(({ subscriptionId }) => subscriptionId)).size).toBe(1);
    expect((await stripe.subscriptions.list({ customer: world.customerId })).data).toHaveLength(1);
  });

  it('does not give one that ends with its month for one that goes on', async () => {
    await world.addCard();
    const { subscriptionId } = await world.subscribe('pro', 0);
    await world.billing.cancelSubscription({ subscriptionId });
    const again = world.subscribe('starter', 0);
    await expect(again).rejects.toThrow(
      new SubscriptionLeavingError('acme-corp', subscriptionId, new Date('2025-12-01T00:00:00Z')),
    );
    await world.billing.resumeSubscription(subscriptionId);
    expect(await world.subscribe('starter', 0)).toMatchObject({ subscriptionId, planType: 'pro' });
  });

  it('tells of an earlier request that made none and is not forgotten', async () => {
    await world.addCard('pm_card_chargeCustomerFail');
    const { customerId, catalogue } = world;
    const refused = world.stripe.subscriptions.create(
      {
        customer: customerId,
        items: [{ price: catalogue.plans.pro.basePriceId }],
        payment_behavior: 'error_if_incomplete',
      },
      { idempotencyKey: `subscription:${customerId}:after:none` },
    );
    await expect(refused).rejects.toThrow(/declined/);
    await expect(world.billing.createSubscription(request('starter'))).rejects.toThrow(
      SubscriptionConflictError,
    );
  });

  it('gives a trial once, and again when it is asked for', async () => {
    const { subscriptionId } = await world.subscribe('pro');
    await world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    await expect(world.subscribe('pro')).rejects.toThrow(new MissingCardError('acme-corp'));
    await world.addCard();
    const second = await world.subscribe('pro');
    expect(second).toMatchObject({ status: 'active', trialEnd: null });
    await world.billing.cancelSubscription({ subscriptionId: second.subscriptionId, atPeriodEnd: false });
    expect((await world.subscribe('pro', 14)).status).toBe('trialing');
  });

  it('gives one to a customer that came back and never had one', async () => {
    await world.addCard();
    const { subscriptionId } = await world.subscribe('pro', 0);
    await world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    expect((await world.subscribe('pro')).status).toBe('trialing');
  });

  it.each([-1, Number.NaN])('refuses a trial of %s days', async (days) => {
    await expect(world.subscribe('pro', days)).rejects.toThrow(`Cannot give a trial of ${days} days`);
  });
});
