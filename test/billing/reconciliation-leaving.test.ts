import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { differenceRows } from '../../src/billing/reconcile/difference.js';
import { type LeftCredit, leftCreditLine, leftCredits } from '../../src/billing/reconcile/left-credits.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { customersThatOwe } from '../../src/dunning/find-unpaid.js';
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

  it('is credited where it was paid, and void where it was given up: nobody is chased for it', async () => {
    for (const tenant of ['paid', 'given-up']) await world.join(tenant);
    await giveCard('given-up', 'pm_card_chargeCustomerFail');
    for (const tenant of ['paid', 'given-up']) await double(tenant, { trial_end: at('2025-11-12') });
    await world.advance('2025-11-14T00:00:00Z');
    const customer = await customerOf('given-up');
    const [open] = (await world.stripe.invoices.list({ customer, status: 'open' })).data;
    await world.stripe.invoices.markUncollectible(open?.id ?? '');
    expect([...(await customersThatOwe(world.stripe, world.now()))]).toEqual([customer]);
    await world.repairAll();
    expect(await rows()).toEqual([]);
    expect([await balance('paid'), await balance('given-up')]).toEqual([-2_900, 0]);
    expect([...(await customersThatOwe(world.stripe, world.now()))]).toEqual([]);
    await giveCard('given-up', 'pm_card_visa');
    expect(await world.billing.payOpenInvoices(customer)).toEqual([]);
  });

  it('is not void where that would end a subscription that has still to begin', async () => {
    const first = await world.join('follows');
    await world.advance('2025-11-10T00:00:00Z');
    await giveCard('follows', 'pm_card_chargeCustomerFail');
    await world.billing.cancelSubscription({ subscriptionId: first });
    const successor = await double('follows', {});
    const { status, latest_invoice: invoice } = await world.stripe.subscriptions.retrieve(successor);
    expect(status).toBe('incomplete');
    await world.advance('2025-11-10T02:00:00Z');
    const repair = `by hand: ${successor} is incomplete, and would end with ${invoice}`;
    expect((await rows()).map((row) => row.repair)).toContain(repair);
    await world.repairAll();
    expect(await bills('follows')).toEqual(['paid 2900', 'open 2900']);
  });

  it('and that bills something else too is credited by its own part, to the cent', async () => {
    await world.join('mixed');
    const second = await double('mixed', { billing_cycle_anchor: at('2025-12-01') });
    await world.advance('2025-11-20T00:00:00Z');
    const training = { customer: await customerOf('mixed'), subscription: second, currency: 'usd' };
    await world.stripe.invoiceItems.create({ ...training, amount: 5_000, description: 'Training' });
    await world.advance('2025-12-01T00:30:00Z');
    await giveCard('mixed', 'pm_card_chargeCustomerFail');
    await world.advance('2025-12-02T00:00:00Z');
    expect((await bills('mixed')).slice(2).sort()).toEqual(['open 2900', 'open 7900']);
    await world.repairAll();
    await giveCard('mixed', 'pm_card_visa');
    await world.billing.payOpenInvoices(await customerOf('mixed'));
    // 29 and 50 are due: what was paid beyond that is there for the next invoice.
    expect([(await bills('mixed')).slice(2).sort(), await balance('mixed')]).toEqual([
      ['paid -2900', 'paid 2900', 'paid 7900'],
      -2_900,
    ]);
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

describe('leftCredits()', () => {
  const give = (customer: string, amount: number) =>
    world.stripe.customers.createBalanceTransaction(customer, { amount, currency: 'usd' });

  it('leaves out who has still to subscribe', async () => {
    await give(await world.customer('signed-up'), -1_000);
    expect(await leftCredits(world.books())).toEqual([]);
  });

  it('tells of the credit of a customer that was one too many, whether it ever subscribed or not', async () => {
    await world.join('twice');
    const metadata = { tenant_id: 'twice' };
    const { id: customerId } = await world.stripe.customers.create({
      ...{ metadata, test_clock: await world.clock.place() },
    });
    await give(customerId, -700);
    expect(await leftCredits(world.books())).toEqual([]);
    await world.repairAll();
    const credits = await leftCredits(world.books(), { tenantIds: ['twice'] });
    expect(credits).toEqual([{ tenantId: 'twice', customerId, cents: 700 }]);
  });
});
