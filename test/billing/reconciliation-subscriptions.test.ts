import { beforeEach, describe, expect, it } from 'vitest';
import { differenceRows } from '../../src/billing/reconcile/difference.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { repairDifferences } from '../../src/billing/reconcile/repair-differences.js';
import { tenantsAt } from '../../src/metering/tenants.js';
import { useWorlds, type World } from './reconciliation-world.js';

const newWorld = useWorlds();
let world: World;
beforeEach(async () => {
  world = await newWorld({ endOfRetries: 'unpaid' });
});

const found = async () =>
  differenceRows(await reconcile(world.books())).map(({ subject, tenant, what, ...row }) => row);
const termsOf = async (tenantId: string) =>
  (await tenantsAt(world.clickhouse, world.now())).find((terms) => terms.tenantId === tenantId);

describe('a subscription that is missing', () => {
  it('is made with what is left of the trial', async () => {
    await world.customer('trying', null);
    await world.record('trying', '2025-11-01', { plan: 'pro', trialEndsAt: new Date('2025-11-15') });
    await world.advance('2025-11-04T12:00:00Z');
    expect(await found()).toEqual([
      {
        class: 'missing',
        expected: 'pro, active',
        found: 'no subscription',
        repair: 'subscribe to pro, in trial until 2025-11-15T00:00:00.000Z',
      },
    ]);
    await world.repairAll();
    expect(await found()).toEqual([]);
    const { data } = await world.stripe.subscriptions.list({ status: 'trialing' });
    expect(data.map(({ trial_end }) => trial_end)).toEqual([Date.parse('2025-11-15') / 1_000]);
  });

  it('cannot be made without a customer, or charged without a card', async () => {
    await world.record('nobody', '2025-11-01');
    await world.customer('no-card', null);
    await world.record('no-card', '2025-11-01');
    expect((await found()).map(({ repair }) => repair)).toEqual([
      'subscribe to starter, and charge from now on',
      'by hand: it has no customer; createCustomer() needs its e-mail address and name',
    ]);
    expect((await world.repairAll()).map(({ outcome, error }) => [outcome, error])).toEqual([
      ['failed', expect.stringContaining('it has no card and no trial')],
      ['left to a person', undefined],
    ]);
  });

  it('is charged from now on; what was not billed before is listed', async () => {
    await world.customer('served-free');
    await world.record('served-free', '2025-11-01');
    await world.advance('2025-11-16T00:00:00Z');
    await world.repairAll();
    const rows = differenceRows(await reconcile(world.books()));
    expect(
      rows.map(({ class: name, what, expected, found: there }) => [name, what, expected, there]),
    ).toEqual([
      ['missing', '2025-10: starter base fee from 2025-11-01', '$29.00', '$0.00'],
      ['extra', '2025-11: Remaining time on starter after 2025-11-16 from 2025-11-16', '$0.00', '$14.50'],
    ]);
  });
});

describe('a subscription that is too much', () => {
  it('of a tenant that nobody knows brings the tenant back', async () => {
    const customerId = await world.customer('lost');
    await world.billing.createSubscription({ tenantId: 'lost', customerId, planType: 'pro', trialDays: 14 });
    expect(await found()).toMatchObject([{ class: 'extra', expected: 'no such tenant' }]);
    await world.repairAll();
    expect(await found()).toEqual([]);
    expect(await termsOf('lost')).toEqual({
      tenantId: 'lost',
      effectiveFrom: new Date('2025-11-01'),
      plan: 'pro',
      state: 'active',
      trialEndsAt: new Date('2025-11-15'),
    });
  });

  it('of a deleted tenant is cancelled, unless it ends by itself', async () => {
    for (const tenant of ['gone', 'going']) await world.join(tenant, 'pro');
    await world.billing.cancelSubscription({ subscriptionId: world.subscriptionOf('going') });
    await world.advance('2025-11-10T00:00:00Z');
    for (const tenant of ['gone', 'going'])
      await world.record(tenant, '2025-11-10', { plan: 'pro', state: 'deleted' });
    const repair = `cancel ${world.subscriptionOf('gone')}, without an invoice`;
    expect(await found()).toMatchObject([{ class: 'extra', expected: 'deleted', repair }]);
    await world.repairAll();
    expect(await found()).toEqual([]);
  });

  it('for the same tenant is cancelled, and the older one stays', async () => {
    const first = await world.join('twice');
    const { customer, items } = await world.stripe.subscriptions.retrieve(first);
    await world.advance('2025-11-02T00:00:00Z');
    const second = await world.stripe.subscriptions.create({
      customer: String(customer),
      items: items.data.map(({ price }) => ({ price: price.id })),
      trial_period_days: 14,
      metadata: { tenant_id: 'twice', plan: 'starter' },
    });
    expect(await found()).toMatchObject([
      { class: 'duplicate', expected: `${first} alone`, found: `${second.id} too` },
    ]);
    const differences = await reconcile(world.books());
    for (let run = 1; run <= 2; run += 1)
      expect(await repairDifferences(differences, world.books(), { dryRun: false })).toMatchObject([
        { outcome: 'done' },
      ]);
    expect(await found()).toEqual([]);
    expect((await world.stripe.subscriptions.retrieve(first)).status).toBe('active');
    expect((await world.stripe.subscriptions.retrieve(second.id)).status).toBe('canceled');
  });

  it('and so a customer: the one with the subscription stays', async () => {
    const other = await world.stripe.customers.create({ test_clock: await world.clock.place() });
    await world.join('twice');
    // The older one, and it was not seen when the other was made.
    await world.stripe.customers.update(other.id, { metadata: { tenant_id: 'twice' } });
    expect(await found()).toMatchObject([{ class: 'duplicate', found: `customer ${other.id} too` }]);
    await world.repairAll();
    expect(await found()).toEqual([]);
    expect(await world.stripe.customers.retrieve(other.id)).toMatchObject({
      metadata: { was_double_of: 'twice' },
    });
  });
});

describe('a subscription that stands otherwise', () => {
  it('since it was cancelled behind our back ends the tenant; what it used is for a person', async () => {
    const id = await world.join('cancelled');
    await world.use('cancelled', { '2025-11-01T00:00:00Z': 12_000 });
    await world.advance('2025-11-10T00:00:00Z');
    await world.sync('2025-11');
    await world.stripe.subscriptions.cancel(id);
    expect(await found()).toMatchObject([
      { class: 'state', expected: 'starter, active', found: 'starter, canceled' },
    ]);
    await world.repairAll();
    expect(await termsOf('cancelled')).toMatchObject({ state: 'deleted', effectiveFrom: world.now() });
    expect(await found()).toEqual([]);
    await world.advance('2025-11-12T00:00:00Z');
    // Stripe's dashboard cancels without a last invoice.
    expect(await found()).toEqual([
      {
        class: 'missing',
        expected: '$2.00',
        found: '$0.00',
        repair: 'by hand: without a subscription there is no next invoice',
      },
    ]);
  });

  it('with another plan or trial changes our record, from when it is charged', async () => {
    const upgraded = await world.join('upgraded');
    const longer = await world.join('longer', 'pro', { trialDays: 30 });
    await world.advance('2025-11-10T09:00:00Z');
    await world.billing.changePlan({ subscriptionId: upgraded, planType: 'pro' });
    await world.stripe.subscriptions.update(longer, { trial_end: Date.parse('2025-11-20') / 1_000 });
    await world.advance('2025-11-12T09:00:00Z');
    expect(await found()).toMatchObject([
      { class: 'state', found: 'pro, trialing, trial until 2025-11-20T00:00:00.000Z' },
      { class: 'state', expected: 'starter, active', found: 'pro, active' },
    ]);
    await world.repairAll();
    expect(await found()).toEqual([]);
    expect(await termsOf('upgraded')).toMatchObject({ plan: 'pro', effectiveFrom: new Date('2025-11-10') });
  });

  it('with a name that is not its price’s is named anew', async () => {
    const id = await world.join('misnamed');
    await world.stripe.subscriptions.update(id, { metadata: { plan: 'pro' } });
    expect(await found()).toMatchObject([{ class: 'state', found: 'starter (named pro), active' }]);
    await world.repairAll();
    expect(await found()).toEqual([]);
    expect((await world.stripe.subscriptions.retrieve(id)).metadata.plan).toBe('starter');
  });

  it('with a price of another product is for a person', async () => {
    const id = await world.join('special');
    const { id: product } = await world.stripe.products.create({ name: 'Special' });
    const { id: price } = await world.stripe.prices.create({
      product,
      currency: 'usd',
      unit_amount: 1_000,
      recurring: { interval: 'month' },
    });
    const { items } = await world.stripe.subscriptions.retrieve(id);
    await world.stripe.subscriptions.update(id, { items: [{ id: items.data[0]?.id ?? '', price }] });
    expect(await found()).toMatchObject([
      { class: 'state', repair: `by hand: ${id} has a price that is none of the plans` },
    ]);
  });

  it('that changed twice in a day, unheard, is followed to where it is now', async () => {
    const subscriptionId = await world.join('twice');
    await world.advance('2025-11-10T09:00:00Z');
    await world.billing.changePlan({ subscriptionId, planType: 'pro' });
    await world.billing.changePlan({ subscriptionId, planType: 'enterprise' });
    await world.repairAll();
    const effectiveFrom = new Date('2025-11-10');
    expect(await termsOf('twice')).toMatchObject({ plan: 'enterprise', effectiveFrom });
    expect(await found()).toEqual([]);
  });

  it.each([
    ['two days later', '2025-11-12T09:00:00Z'],
    ['within the same second', '2025-11-10T09:00:00Z'],
  ])('of a tenant that came back unheard %s is followed, and not cancelled', async (_, cameBack) => {
    const subscriptionId = await world.join('back');
    await world.advance('2025-11-10T09:00:00Z');
    await world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    // Our record of the end has milliseconds, Stripe's times have none.
    const ended = new Date('2025-11-10T09:00:00.500Z');
    await world.record('back', ended, { state: 'deleted' });
    await world.advance(cameBack);
    const customerId = (await world.billing.findCustomer('back')) ?? '';
    await world.billing.createSubscription({ tenantId: 'back', customerId, planType: 'pro', trialDays: 0 });
    await world.advance('2025-11-12T09:00:01Z');
    await world.repairAll();
    expect((await world.billing.findSubscription(customerId))?.status).toBe('active');
    // The end stays: a return within its second is dated after it.
    const effectiveFrom = new Date(Math.max(Date.parse(cameBack), ended.getTime() + 1));
    expect(await termsOf('back')).toMatchObject({ plan: 'pro', state: 'active', effectiveFrom });
    expect(await found()).toEqual([]);
  });

  it('because it is not paid is left to the dunning, however long it owes', async () => {
    await world.join('broke');
    const customer = (await world.billing.findCustomer('broke')) ?? '';
    world.local.failCard({ customer, from: new Date('2025-11-30'), until: new Date('2026-12-12') });
    for (const [day, status] of [
      ['2025-12-08T02:00:00Z', 'past_due'],
      ['2025-12-20T00:00:00Z', 'unpaid'],
    ] as const) {
      await world.advance(day);
      expect((await world.billing.findSubscription(customer))?.status).toBe(status);
      expect(await found()).toEqual([]);
    }
    // Of an unpaid subscription Stripe makes drafts that nobody finalizes.
    await world.advance('2026-01-05T00:00:00Z');
    expect(await found()).toMatchObject([
      {
        class: 'missing',
        repair: expect.stringMatching(/^by hand: in_\w+ is held back until an earlier invoice is paid$/),
      },
    ]);
  });

  it.each([
    ['upgrade', (id: string) => world.billing.changePlan({ subscriptionId: id, planType: 'pro' })],
    ['end', (id: string) => world.billing.cancelSubscription({ subscriptionId: id, atPeriodEnd: false })],
  ] as const)(
    'that holds a draft back is billed right through its %s, with nothing to mend',
    async (_, change) => {
      const subscriptionId = await world.join('broke');
      const customer = (await world.billing.findCustomer('broke')) ?? '';
      world.local.failCard({ customer, from: new Date('2025-11-30'), until: new Date('2026-01-02') });
      await world.advance('2026-01-03T12:00:00Z');
      await change(subscriptionId);
      await world.follow('broke');
      const isHeldBack = expect.stringMatching(
        /^by hand: in_\w+ is held back until an earlier invoice is paid$/,
      );
      await world.advance('2026-01-04T12:00:00Z');
      const left = await found();
      expect(left).toEqual(left.map((row) => ({ ...row, repair: isHeldBack })));
      await world.billing.payOpenInvoices(customer);
      expect(await found()).toEqual([]);
      await world.advance('2026-02-02T12:00:00Z');
      expect(await found()).toEqual([]);
    },
  );
});
