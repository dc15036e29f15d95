import { beforeEach, describe, expect, it } from 'vitest';
import { PaymentUnderWayError } from '../../src/billing/billing-errors.js';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { chargeHeldDrafts } from '../../src/billing/charge-held-drafts.js';
import { type ManagerWorld, managerWorld } from './manager-world.js';

let world: ManagerWorld;
/** December was not paid, was given up, and the drafts of January and February are held back. */
beforeEach(async () => {
  world = await managerWorld('2025-11-01T00:00:00Z', { endOfRetries: 'unpaid' });
  await world.addCard();
  await world.subscribe('starter', 0);
  await world.addCard('pm_card_chargeCustomerFail');
  await world.advance('2026-02-02T00:00:00Z');
});

const invoices = async () =>
  (await world.stripe.invoices.list({ customer: world.customerId, limit: 100 })).data.reverse();
const statuses = async () => (await invoices()).map(({ status }) => status);
const december = async () => (await invoices())[1]?.id ?? '';
const status = async () => (await world.billing.findSubscription(world.customerId))?.status;
const hour = (count: number) =>
  new Date(Date.parse('2026-02-02T00:00:00Z') + count * 3_600_000).toISOString();

const told = () => world.told();

describe('chargeHeldDrafts()', () => {
  it.each([
    ['paid', () => december().then((id) => world.stripe.invoices.pay(id, { paid_out_of_band: true }))],
    ['void', () => december().then((id) => world.stripe.invoices.voidInvoice(id))],
  ])('charges what was held back when the invoice before is %s in the dashboard', async (settled, settle) => {
    expect(await status()).toBe('unpaid');
    await world.addCard();
    await settle();
    expect(await statuses()).toEqual(['paid', settled, 'draft', 'draft']);
    // One after the other, as they are paid; the rest is of no account.
    for (let round = 1; round <= 5; round += 1) {
      await chargeHeldDrafts(world.stripe);
      await world.advance(hour(round * 2));
    }
    expect(await statuses()).toEqual(['paid', settled, 'paid', 'paid']);
    expect(await status()).toBe('active');
    expect(await chargeHeldDrafts(world.stripe)).toEqual([]);
  });

  it('leaves them alone while something is owed', async () => {
    expect(await chargeHeldDrafts(world.stripe)).toEqual([]);
    await world.stripe.invoices.markUncollectible(await december());
    expect(await chargeHeldDrafts(world.stripe)).toEqual([]);
    expect(await statuses()).toEqual(['paid', 'uncollectible', 'draft', 'draft']);
  });

  it('waits with the second one while the first is declined', async () => {
    await world.stripe.invoices.pay(await december(), { paid_out_of_band: true });
    expect(await chargeHeldDrafts(world.stripe)).toHaveLength(1);
    await world.advance(hour(30));
    expect(await chargeHeldDrafts(world.stripe)).toEqual([]);
    expect(await statuses()).toEqual(['paid', 'paid', 'open', 'draft']);
  });

  it('leaves alone what a person holds back', async () => {
    await world.addCard();
    await world.billing.payOpenInvoices(world.customerId);
    await world.advance('2026-03-01T00:30:00Z');
    const march = (await invoices()).at(-1)?.id ?? '';
    await world.stripe.invoices.update(march, { auto_advance: false });
    expect(await chargeHeldDrafts(world.stripe)).toEqual([]);
    expect((await statuses()).at(-1)).toBe('draft');
  });

  it('leaves them alone while a person has paused the collection', async () => {
    await world.stripe.invoices.pay(await december(), { paid_out_of_band: true });
    const { subscriptionId = '' } = (await world.billing.findSubscription(world.customerId)) ?? {};
    const pause = (behavior: 'keep_as_draft' | undefined) =>
      world.stripe.subscriptions.update(subscriptionId, { pause_collection: behavior ? { behavior } : '' });
    await pause('keep_as_draft');
    expect(await chargeHeldDrafts(world.stripe)).toEqual([]);
    await pause(undefined);
    expect(await chargeHeldDrafts(world.stripe)).toHaveLength(1);
  });

  it('goes on with the others when one cannot be finalized, and tells of it', async () => {
    await world.stripe.invoices.pay(await december(), { paid_out_of_band: true });
    const january = (await invoices())[2]?.id ?? '';
    world.local.faults = ({ path }) => (path.includes(`${january}/finalize`) ? 'unavailable' : undefined);
    await expect(chargeHeldDrafts(world.stripe)).rejects.toThrow(
      '1 held drafts wait: Stripe is not available.',
    );
    world.local.faults = () => undefined;
    expect((await statuses()).slice(2)).toEqual(['draft', 'open']);
  });
});

describe('a cheaper plan that waited', () => {
  let subscriptionId: string;
  beforeEach(async () => {
    world = await managerWorld('2025-11-01T00:00:00Z', { endOfRetries: 'unpaid' });
    await world.addCard();
    ({ subscriptionId } = await world.subscribe('pro', 0));
    await world.addCard('pm_card_chargeCustomerFail');
    await world.advance('2025-12-20T00:00:00Z');
    await world.billing.changePlan({ subscriptionId, planType: 'starter' });
    await world.advance('2026-01-02T00:00:00Z');
    expect(await status()).toBe('unpaid');
  });

  const apply = () => world.billing.applyWaitingChange(subscriptionId);

  it('is billed alone for its month, when the tenant pays at last', async () => {
    for (let time = 1; time <= 2; time += 1) await apply();
    // December's fee; January's, held back and taken off again; January's of the cheaper plan.
    expect(await told()).toEqual(['paid 9900', 'open 9900', 'draft 0', 'open 2900']);
    await world.addCard();
    await world.billing.payOpenInvoices(world.customerId);
    expect(await told()).toEqual(['paid 9900', 'paid 9900', 'paid 0', 'paid 2900']);
    expect(await status()).toBe('active');
  });

  it.each(
    [1, 2, 3].flatMap((writes) => [[writes, 'unavailable'] as const, [writes, 'lost_answer'] as const]),
  )('is made to its end by the next try after a kill at write %i (%s)', async (writes, lost) => {
    await world.dieAfter(writes, lost, apply);
    // Stripe has forgotten the idempotency keys by then.
    await world.advance('2026-01-04T00:00:00Z');
    await apply();
    expect(await told()).toEqual(['paid 9900', 'open 9900', 'draft 0', 'open 2900']);
    expect(await apply()).toBeUndefined();
  });

  it('is credited where the tenant paid its old fee before the next try', async () => {
    await world.dieAfter(2, 'unavailable', apply);
    await world.addCard();
    await world.billing.payOpenInvoices(world.customerId);
    await apply();
    expect(await told()).toEqual(['paid 9900', 'paid 9900', 'paid 9900', 'paid 2900', 'paid -9900']);
    expect(await world.stripe.customers.retrieve(world.customerId)).toMatchObject({ balance: -9_900 });
  });

  it.each([
    ['wants it again', 'starter'],
    ['wants a dearer one', 'enterprise'],
  ] as const)('is made to its end first, when the tenant %s', async (_, planType) => {
    await world.dieAfter(2, 'unavailable', apply);
    await world.billing.changePlan({ subscriptionId, planType });
    expect((await told()).slice(0, 4)).toEqual(['paid 9900', 'open 9900', 'draft 0', 'open 2900']);
    expect(await apply()).toBeUndefined();
  });
});

describe('payOpenInvoices()', () => {
  /** What was charged, by card. */
  const charges = async () =>
    (await world.stripe.charges.list({ customer: world.customerId, limit: 100 })).data.filter(
      ({ paid }) => paid,
    );

  it('of two calls of one moment charges once, and tells the other by a type', async () => {
    await world.addCard();
    expect(await world.billing.owedCents(world.customerId)).toBe(3 * 2_900);
    const pay = () => world.billing.payOpenInvoices(world.customerId);
    const asked = await Promise.allSettled([pay(), pay()]);
    expect(asked.map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
    expect(asked[1]).toMatchObject({ reason: new PaymentUnderWayError(await december()) });
    expect([await charges(), await world.billing.owedCents(world.customerId)]).toMatchObject([
      { length: 4 },
      0,
    ]);
  });

  it('of two calls, the second a moment later, charges once and gives both what is paid', async () => {
    await world.addCard();
    const { stripe, catalogue, clock, customerId } = world;
    const later = () => new Date('2026-02-02T00:00:00.100Z');
    const second = new StripeBillingManager(stripe, { catalogue, testClock: clock, now: later });
    const asked = [world.billing, second].map((billing) => billing.payOpenInvoices(customerId));
    expect((await Promise.all(asked)).map((ids) => ids.length)).toEqual([3, 3]);
    expect(await charges()).toHaveLength(4);
  });

  it('pays what was given up as uncollectible too', async () => {
    await world.stripe.invoices.markUncollectible(await december());
    await world.addCard();
    expect(await world.billing.payOpenInvoices(world.customerId)).toHaveLength(3);
    expect(await statuses()).toEqual(Array(4).fill('paid'));
  });

  it('leaves the negative last invoice of a subscription alone', async () => {
    await world.addCard();
    await world.billing.payOpenInvoices(world.customerId);
    const { subscriptionId = '' } = (await world.billing.findSubscription(world.customerId)) ?? {};
    await world.billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    expect((await statuses()).at(-1)).toBe('uncollectible');
    expect(await world.billing.payOpenInvoices(world.customerId)).toEqual([]);
  });
});
