import { describe, expect, it } from 'vitest';
import type { LocalStripeOptions } from '../../src/local-stripe/create-local-stripe.js';
import type { PlanName } from '../../src/plans.js';
import { type ManagerWorld, managerWorld } from './manager-world.js';

let world: ManagerWorld;
let subscriptionId: string;
const from = async (planType: PlanName) => {
  world = await managerWorld('2025-11-01T00:00:00Z', { endOfRetries: 'unpaid' });
  await world.addCard();
  ({ subscriptionId } = await world.subscribe(planType, 0));
  await world.addCard('pm_card_chargeCustomerFail');
  // December is given up by then.
  await world.advance('2026-01-03T12:00:00Z');
  expect((await world.billing.findSubscription(world.customerId))?.status).toBe('unpaid');
};
const upgrade = (planType: PlanName) => world.billing.changePlan({ subscriptionId, planType });
const cancel = () => world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
const settled = async () => {
  await world.addCard();
  await world.billing.payOpenInvoices(world.customerId);
  return (await world.told()).map((one) => Number(one.split(' ')[1])).reduce((sum, cents) => sum + cents, 0);
};
/** Of a January fee from a day on. */
const rest = (cents: number, day: number) => Math.round((cents * (32 - day)) / 31);

describe('a subscription that holds a draft back', () => {
  it('is billed by each plan for its days after an upgrade', async () => {
    await from('starter');
    expect(await upgrade('pro')).toMatchObject({ planType: 'pro', changesAt: null });
    const left = 2_900 - rest(2_900, 3);
    expect(await world.told()).toEqual(['paid 2900', 'open 2900', `draft ${left}`, `open ${rest(9_900, 3)}`]);
    expect(await world.stripe.subscriptions.retrieve(subscriptionId)).toMatchObject({
      metadata: { plan: 'pro' },
    });
    expect(await world.billing.applyWaitingChange(subscriptionId)).toBeUndefined();
  });

  it('is billed by each plan for its days after two upgrades and an end', async () => {
    await from('starter');
    await upgrade('pro');
    await world.advance('2026-01-10T15:00:00Z');
    await upgrade('enterprise');
    await world.advance('2026-01-22T00:00:00Z');
    await cancel();
    const january = 2_900 - rest(2_900, 3) + (rest(9_900, 3) - rest(9_900, 10)) + rest(49_900, 10);
    const [, , draft] = await world.told();
    expect(draft).toBe(`draft ${2_900 - rest(2_900, 3)}`);
    // Of the last fee Stripe credits what is left: that its last invoice comes out below 0 is its way.
    expect(await settled()).toBe(2 * 2_900 + january - rest(49_900, 22));
  });

  it.each(
    [1, 2, 3].flatMap((writes) => [[writes, 'unavailable'] as const, [writes, 'lost_answer'] as const]),
  )('takes the fee off after a kill at write %i of an upgrade (%s)', async (writes, lost) => {
    await from('starter');
    await world.dieAfter(writes, lost, () => upgrade('pro'));
    await world.advance('2026-01-05T09:00:00Z');
    await upgrade('pro');
    // Made by the first try, or by the second.
    const day = writes === 1 && lost === 'unavailable' ? 5 : 3;
    expect(await world.told()).toEqual([
      ...['paid 2900', 'open 2900', `draft ${2_900 - rest(2_900, day)}`, `open ${rest(9_900, day)}`],
    ]);
    expect(await world.billing.applyWaitingChange(subscriptionId)).toBeUndefined();
  });

  it('is billed for its days alone when it ends at once, however often it is ended', async () => {
    await from('enterprise');
    for (let time = 1; time <= 2; time += 1) await cancel();
    const twoDaysAndAHalf = 49_900 - Math.round((49_900 * 28.5) / 31);
    expect(await world.told()).toEqual(['paid 49900', 'open 49900', `draft ${twoDaysAndAHalf}`, 'paid 0']);
    expect(await settled()).toBe(2 * 49_900 + twoDaysAndAHalf);
  });

  it.each(['unavailable', 'lost_answer'] as const)(
    'is billed for its days alone after a kill behind its end (%s)',
    async (lost) => {
      await from('enterprise');
      await world.dieAfter(lost === 'unavailable' ? 2 : 1, lost, cancel);
      expect((await world.billing.findSubscription(world.customerId))?.status).toBe('canceled');
      await world.advance('2026-01-05T09:00:00Z');
      await cancel();
      const twoDaysAndAHalf = 49_900 - Math.round((49_900 * 28.5) / 31);
      expect(await world.told()).toEqual(['paid 49900', 'open 49900', `draft ${twoDaysAndAHalf}`, 'paid 0']);
    },
  );

  it('gives nothing back of a fee that was paid, where somebody else ended it', async () => {
    await from('enterprise');
    await world.addCard();
    await world.billing.payOpenInvoices(world.customerId);
    await world.stripe.subscriptions.cancel(subscriptionId);
    await cancel();
    expect(await world.told()).toEqual(['paid 49900', 'paid 49900', 'paid 49900']);
  });

  it('leaves its month whole when it ends with it', async () => {
    await from('enterprise');
    await world.billing.cancelSubscription({ subscriptionId });
    await world.advance('2026-02-02T00:00:00Z');
    await cancel();
    expect((await world.told()).slice(0, 3)).toEqual(['paid 49900', 'open 49900', 'draft 49900']);
  });

  it('takes the fee off where the next try comes a month later', async () => {
    await from('starter');
    await world.dieAfter(2, 'unavailable', () => upgrade('pro'));
    await world.advance('2026-02-02T09:00:00Z');
    await upgrade('pro');
    await world.advance('2026-02-05T00:00:00Z');
    expect(await settled()).toBe(3 * 2_900 - rest(2_900, 3) + rest(9_900, 3) + 9_900);
  });

  it('is billed for its days alone where it is paid between its end and the next try', async () => {
    await from('enterprise');
    await world.dieAfter(1, 'lost_answer', cancel);
    await settled();
    await cancel();
    expect(await settled()).toBe(3 * 49_900 - Math.round((49_900 * 28.5) / 31));
  });

  it('is billed for its days alone where the client itself repeats an end whose answer was lost', async () => {
    await from('enterprise');
    world.loseAnswer(/subscriptions/, 'DELETE');
    await world.manager(world.local.client({ maxNetworkRetries: 2 })).cancelSubscription({
      ...{ subscriptionId, atPeriodEnd: false },
    });
    expect(await settled()).toBe(3 * 49_900 - Math.round((49_900 * 28.5) / 31));
  });
});

describe('an end at once', () => {
  const begin = async (planType: PlanName, options: LocalStripeOptions = {}) => {
    world = await managerWorld('2025-12-01T00:00:00Z', { endOfRetries: 'unpaid', ...options });
    await world.addCard();
    ({ subscriptionId } = await world.subscribe(planType, 0));
  };

  it('charges of a fee that is still a draft the days that were used', async () => {
    await begin('enterprise', { usageGraceHours: 72 });
    await world.advance('2026-01-01T10:00:00Z');
    await cancel();
    await world.advance('2026-01-10T00:00:00Z');
    expect(await settled()).toBe(2 * 49_900 - Math.round((49_900 * (31 * 24 - 10)) / (31 * 24)));
  });

  it('credits the rest of a fee that is owed beside it: nothing of it is lost', async () => {
    await begin('starter');
    await world.addCard('pm_card_chargeCustomerFail');
    await world.advance('2026-01-07T00:00:00Z');
    expect((await world.billing.findSubscription(world.customerId))?.status).toBe('past_due');
    for (let time = 1; time <= 2; time += 1) await cancel();
    expect(await world.told()).toEqual(['paid 2900', 'open 2900', 'paid 0', `paid -${rest(2_900, 7)}`]);
    expect(await world.stripe.customers.retrieve(world.customerId)).toMatchObject({
      balance: -rest(2_900, 7),
    });
  });

  it('bills a cheaper plan that was due and not heard of for its days', async () => {
    await begin('enterprise');
    await world.addCard('pm_card_chargeCustomerFail');
    await world.billing.changePlan({ subscriptionId, planType: 'pro' });
    await world.advance('2026-01-02T00:00:00Z');
    await cancel();
    expect(await settled()).toBe(49_900 + 9_900 - rest(9_900, 2));
  });

  it('leaves nothing to be paid of a subscription that was never paid', async () => {
    world = await managerWorld('2025-12-20T00:00:00Z');
    await world.addCard('pm_card_chargeCustomerFail');
    ({ subscriptionId } = await world.subscribe('enterprise', 0));
    for (let time = 1; time <= 2; time += 1)
      expect((await cancel()).status).toMatch(/^(canceled|incomplete_expired)$/);
    expect(await world.billing.owedCents(world.customerId)).toBe(0);
    expect(await world.told()).toEqual([`void ${Math.round((49_900 * 12) / 31)}`]);
  });
});
