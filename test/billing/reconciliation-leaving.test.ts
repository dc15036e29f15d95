import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { differenceRows } from '../../src/billing/reconcile/difference.js';
import { type LeftCredit, leftCreditLine, leftCredits } from '../../src/billing/reconcile/left-credits.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { at } from '../support/local-stripe.js';
import { useWorlds, type World } from './reconciliation-world.js';

/** Subscriptions beside the one that counts, and what is left of those that are over. */
const newWorld = useWorlds();
let world: World;
beforeEach(async () => {
  world = await newWorld();
});

const rows = async () => differenceRows(await reconcile(world.books()));
const customerOf = async (tenant: string) => (await world.billing.findCustomer(tenant)) ?? '';
const giveCard = async (tenant: string, paymentMethodId: string) =>
  world.billing.attachPaymentMethod({ customerId: await customerOf(tenant), paymentMethodId });
/** Status and cents of its invoices. */
const bills = async (tenant: string) =>
  (await world.billing.invoicesOf(await customerOf(tenant))).map(
    ({ status, totalCents }) => `${status} ${totalCents}`,
  );
const balance = async (tenant: string) => {
  const customer = await world.stripe.customers.retrieve(await customerOf(tenant));
  return customer.deleted ? undefined : customer.balance;
};

/** A second subscription, made by hand. */
async function double(tenant: string, params: Partial<Stripe.SubscriptionCreateParams>): Promise<string> {
  const { basePriceId, usagePriceId } = world.catalogue.plans.starter;
  const { id } = await world.stripe.subscriptions.create({
    customer: await customerOf(tenant),
    items: [{ price: basePriceId }, { price: usagePriceId }],
    metadata: { tenant_id: tenant, plan: 'starter' },
    ...params,
  });
  return id;
}

it('a second subscription is left to a person where the first one ends with its month', async () => {
  const first = await world.join('leaves');
  await world.billing.cancelSubscription({ subscriptionId: first });
  const second = await double('leaves', { trial_end: at('2025-12-01') });
  const repair = `by hand: ${first} ends with its period; one of them has to go on`;
  expect(await rows()).toMatchObject([{ class: 'duplicate', repair }]);
  await world.repairAll();
  expect((await world.stripe.subscriptions.retrieve(second)).status).toBe('trialing');
});

describe('an invoice of a second subscription that nobody paid', () => {
  it('is void, and not credited too', async () => {
    await world.join('twice');
    await giveCard('twice', 'pm_card_chargeCustomerFail');
    await double('twice', { trial_end: at('2025-11-12') });
    await world.advance('2025-11-14T00:00:00Z');
    const [, invoice] = await rows();
    expect(invoice).toMatchObject({ class: 'extra', expected: '$0.00', found: '$29.00' });
    expect(invoice?.repair).toMatch(/^void in_\w+: \$29\.00 that nobody paid$/);
    expect(await world.repairAll()).toMatchObject([{ outcome: 'done' }, { outcome: 'done' }]);
    expect(await rows()).toEqual([]);
    await giveCard('twice', 'pm_card_visa');
    await world.advance('2025-12-02T00:00:00Z');
    expect(await bills('twice')).toEqual(['paid 2900', 'paid 0', 'void 2900', 'paid 2900']);
    expect([await balance('twice'), await rows()]).toEqual([0, []]);
  });

  it.each([
    ['open', '2025-12-02T00:00:00Z', ['open 3100', 'void 3100']],
    ['a draft still', '2025-12-01T00:30:00Z', ['draft 3100', 'void 3100']],
  ])('and is %s is void with its usage; that of the first is owed still', async (_, when, expected) => {
    await world.join('twice');
    await double('twice', { billing_cycle_anchor: at('2025-12-01') });
    await world.advance('2025-11-02T00:00:00Z');
    await world.use('twice', { '2025-11-01T10:00:00Z': 12_000 });
    await world.sync('2025-11');
    await giveCard('twice', 'pm_card_chargeCustomerFail');
    await world.advance(when);
    expect((await rows()).map((row) => [row.class, row.found])).toEqual([
      ['duplicate', expect.stringContaining('too')],
      ['duplicate', '$31.00'],
    ]);
    await world.repairAll();
    // November was paid by both, and is not looked at.
    expect((await bills('twice')).slice(2).sort()).toEqual(expected);
    expect([await balance('twice'), await rows()]).toEqual([0, []]);
  });

  it('is credited where it was paid, and left to a person where it was given up', async () => {
    for (const tenant of ['paid', 'given-up']) await world.join(tenant);
    await giveCard('given-up', 'pm_card_chargeCustomerFail');
    for (const tenant of ['paid', 'given-up']) await double(tenant, { trial_end: at('2025-11-12') });
    await world.advance('2025-11-14T00:00:00Z');
    const customer = await customerOf('given-up');
    const [open] = (await world.stripe.invoices.list({ customer, status: 'open' })).data;
    await world.stripe.invoices.markUncollectible(open?.id ?? '');
    await world.repairAll();
    expect((await rows()).map(({ repair }) => repair)).toEqual([
      `by hand: nobody paid ${open?.id}, and nobody owes it: void it at Stripe`,
    ]);
    expect([await balance('paid'), await balance('given-up')]).toEqual([-2_900, 0]);
  });
});

it('an invoice of a subscription before, which is owed, is no second one', async () => {
  const subscriptionId = await world.join('back');
  await world.advance('2025-11-20T00:00:00Z');
  await world.use('back', { '2025-11-01T10:00:00Z': 40_000 });
  await world.sync('2025-11');
  await giveCard('back', 'pm_card_chargeCustomerFail');
  await world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
  await world.record('back', world.now(), { state: 'deleted' });
  await giveCard('back', 'pm_card_visa');
  await world.advance('2025-11-25T00:00:00Z');
  const customerId = await customerOf('back');
  await world.billing.createSubscription({ customerId, tenantId: 'back', planType: 'starter', trialDays: 0 });
  await world.record('back', world.now());
  await world.advance('2025-12-02T00:00:00Z');
  expect(await bills('back')).toEqual(['paid 2900', 'open 1937', 'paid 580', 'paid 2900']);
  expect(await rows()).toEqual([]);
});

it('a credit of a tenant that leaves is not lost, and told to a person', async () => {
  const subscriptionId = await world.join('leaver');
  await double('leaver', { trial_end: at('2025-11-12') });
  await world.advance('2025-11-14T00:00:00Z');
  await world.repairAll();
  // Of those that stay the next invoice uses it up.
  expect([await rows(), await leftCredits(world.books())]).toEqual([[], []]);
  await world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
  await world.record('leaver', world.now(), { state: 'deleted' });
  // The last invoice, with its credit for unused time, is written off.
  expect([(await bills('leaver')).at(-1), await balance('leaver')]).toEqual(['uncollectible -1643', -2_900]);
  expect(await rows()).toEqual([]);
  const customerId = await customerOf('leaver');
  const [credit] = await leftCredits(world.books());
  expect(leftCreditLine(credit as LeftCredit)).toBe(
    `leaver: left with a credit of $29.00 → by hand: pay it out at Stripe, and take it off the balance of ${customerId}`,
  );
  const paidOut = { amount: 2_900, currency: 'usd' };
  await world.stripe.customers.createBalanceTransaction(customerId, paidOut);
  expect(await leftCredits(world.books())).toEqual([]);
});
