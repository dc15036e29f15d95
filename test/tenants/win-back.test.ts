import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordTenants } from '../../src/metering/tenants.js';
import { changeTenantPlan } from '../../src/tenants/change-tenant-plan.js';
import { deleteTenant, endTenant } from '../../src/tenants/delete-tenant.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { purgeTenant } from '../../src/tenants/purge-tenant.js';
import { winBack } from '../../src/tenants/win-back.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { failing, type TenantWorld, tenantWorld } from './tenant-world.js';

let engine: Embedded;
let world: TenantWorld;
let tenantId: string;
let count = 0;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
beforeEach(async () => {
  count += 1;
  tenantId = `tenant-${count}`;
  world = await tenantWorld(engine, { tenantId, planType: 'pro' });
});
const by = 'support';
const back = (parts: Partial<TenantWorld['parts']> = {}) =>
  winBack({ ...world.parts, ...parts }, { tenantId, by });
const log = async () =>
  (await readLifecycleLog(engine.clickhouse, tenantId)).slice(3).map(({ event }) => event);
const stands = async () => [
  await world.state(),
  await world.atTheGate(),
  (await world.subscription())?.status,
  world.keys.size,
];

describe('deleteTenant()', () => {
  it('ends the subscription with a last invoice, takes the keys, and says when the purge comes', async () => {
    const { tenant, purgeAt } = await deleteTenant(world.parts, { tenantId });
    expect(tenant).toMatchObject({ state: 'deleted', by: 'tenant' });
    expect(purgeAt).toEqual(new Date('2025-12-15T12:00:00Z'));
    expect(await stands()).toEqual(['deleted', 'ended', 'canceled', 0]);
    // What is left of the fee is credited; Stripe pays nothing out.
    expect((await world.billing.invoicesOf(world.customerId)).map(({ totalCents }) => totalCents)).toEqual([
      9_900, -5_115,
    ]);
  });

  it('says the same when it is asked again, also after a win-back that failed', async () => {
    const first = await deleteTenant(world.parts, { tenantId });
    await world.advance('2025-11-20T12:00:00Z');
    await expect(back({ issueKey: () => Promise.reject(new Error('no key')) })).rejects.toThrow('no key');
    expect(await deleteTenant(world.parts, { tenantId })).toMatchObject({ purgeAt: first.purgeAt });
    expect(await log()).toEqual(['delete', 'win_back', 'fail']);
  });

  it('is refused to one that never signed up here, as another plan is', async () => {
    const imported = { tenantId: 'imported', plan: 'pro', state: 'active' } as const;
    await recordTenants(engine.clickhouse, [{ ...imported, effectiveFrom: new Date('2025-11-01') }]);
    const refused = { name: 'TransitionRefusedError', state: 'active', allowed: [] };
    const why = 'it never signed up here, and its terms are kept by the operator';
    await expect(deleteTenant(world.parts, imported)).rejects.toMatchObject({
      ...refused,
      message: `Cannot delete imported: ${why}`,
    });
    await expect(changeTenantPlan(world.parts, imported)).rejects.toMatchObject(refused);
    await expect(deleteTenant(world.parts, { tenantId: 'nobody' })).rejects.toMatchObject({ state: 'none' });
  });

  it('is refused while a change is in progress', async () => {
    await world.lifecycle.transition({ tenantId, event: 'upgrade', plan: 'enterprise', by });
    await expect(deleteTenant(world.parts, { tenantId })).rejects.toMatchObject({ state: 'upgrading' });
    expect(await stands()).toEqual(['upgrading', 'pro', 'active', 1]);
  });

  it('lets nobody in while Stripe is away, and ends the subscription in the next round', async () => {
    const mend = failing(world, /subscriptions/);
    expect((await deleteTenant(world.parts, { tenantId })).tenant.state).toBe('deleted');
    expect(await stands()).toEqual(['deleted', 'ended', 'active', 0]);
    mend();
    await endTenant(world.parts, tenantId);
    await endTenant(world.parts, tenantId);
    expect(await stands()).toEqual(['deleted', 'ended', 'canceled', 0]);
    expect(await world.billing.invoicesOf(world.customerId)).toHaveLength(2);
  });
});

describe('endTenant()', () => {
  it('leaves the subscription of a win-back that has just begun', async () => {
    await deleteTenant(world.parts, { tenantId });
    await world.advance('2025-11-20T12:00:00Z');
    const billing = {
      findCustomer: async (id: string) => {
        await back();
        return world.billing.findCustomer(id);
      },
      findSubscription: (id: string) => world.billing.findSubscription(id),
      cancelSubscription: () => Promise.reject(new Error('it lives')),
    };
    await endTenant({ ...world.parts, billing }, tenantId);
    expect(await stands()).toEqual(['active', 'pro', 'active', 1]);
    await endTenant(world.parts, tenantId);
    expect(await stands()).toEqual(['active', 'pro', 'active', 1]);
  });
});

describe('winBack()', () => {
  it('gives a deleted tenant its data, a subscription, its limits and a new key', async () => {
    await deleteTenant(world.parts, { tenantId });
    await world.advance('2025-11-20T12:00:00Z');
    const { tenant, key } = await back();
    expect(tenant).toMatchObject({ state: 'active', plan: 'pro' });
    expect(await stands()).toEqual(['active', 'pro', 'active', 1]);
    expect(world.keys.get(key)).toBe(tenantId);
    expect((await world.subscription())?.subscriptionId).not.toBe(world.subscriptionId);
    expect(await log()).toEqual(['delete', 'win_back', 'complete']);
    // And it may go on as before, also away again.
    expect((await changeTenantPlan(world.parts, { tenantId, plan: 'enterprise' })).kind).toBe('upgrade');
    const { purgeAt } = await deleteTenant(world.parts, { tenantId });
    expect(purgeAt).toEqual(new Date('2025-12-20T12:00:00Z'));
  });

  it('gives one whose subscription ended another plan', async () => {
    await world.billing.cancelSubscription({ subscriptionId: world.subscriptionId, atPeriodEnd: false });
    await world.lifecycle.transition({ tenantId, event: 'cancel', by: 'stripe' });
    await world.advance('2025-11-20T12:00:00Z');
    const { tenant } = await winBack(world.parts, { tenantId, by, plan: 'starter' });
    expect(tenant).toMatchObject({ state: 'active', plan: 'starter' });
    expect(await stands()).toEqual(['active', 'starter', 'active', 2]);
  });

  it.each(['createSubscription', 'followTerms', 'issueKey'] as const)(
    'is taken back when %s fails, and can be asked for again',
    async (step) => {
      await deleteTenant(world.parts, { tenantId });
      await world.advance('2025-11-20T12:00:00Z');
      const isBilling = step === 'createSubscription';
      const parts = isBilling
        ? {}
        : {
            [step]: async () => {
              throw new Error(`no ${step}`);
            },
          };
      const mend = isBilling ? failing(world, /subscriptions$/) : () => undefined;
      await expect(back(parts)).rejects.toThrow();
      mend();
      expect(await stands()).toEqual(['deleted', 'ended', 'canceled', 0]);
      await world.advance('2025-11-20T12:01:00Z');
      await back();
      expect(await stands()).toEqual(['active', 'pro', 'active', 1]);
    },
  );

  it('leaves one whose subscription ended its key, and nothing to pay, when it fails', async () => {
    await world.billing.cancelSubscription({ subscriptionId: world.subscriptionId, atPeriodEnd: false });
    await world.lifecycle.transition({ tenantId, event: 'cancel', by: 'stripe' });
    await world.advance('2025-11-20T12:00:00Z');
    await expect(back({ issueKey: () => Promise.reject(new Error('no key')) })).rejects.toThrow('no key');
    expect(await stands()).toEqual(['cancelled', 'ended', 'canceled', 1]);
  });

  it('is taken back when the card is declined', async () => {
    await world.billing.cancelSubscription({ subscriptionId: world.subscriptionId, atPeriodEnd: false });
    await world.lifecycle.transition({ tenantId, event: 'cancel', by: 'stripe' });
    const card = { customerId: world.customerId, paymentMethodId: 'pm_card_chargeCustomerFail' };
    await world.billing.attachPaymentMethod(card);
    await world.advance('2025-11-20T12:00:00Z');
    await expect(back()).rejects.toMatchObject({ name: 'NotWonBackError', status: 'incomplete' });
    expect((await stands()).slice(0, 2)).toEqual(['cancelled', 'ended']);
  });

  it('does not take what an earlier try left on another plan for what was asked for', async () => {
    await world.billing.cancelSubscription({ subscriptionId: world.subscriptionId, atPeriodEnd: false });
    await world.lifecycle.transition({ tenantId, event: 'cancel', by: 'stripe' });
    await world.advance('2025-11-20T12:00:00Z');
    const { customerId } = world;
    await world.billing.createSubscription({ customerId, tenantId, planType: 'pro', trialDays: 0 });
    const asked = winBack(world.parts, { tenantId, by, plan: 'starter' });
    await expect(asked).rejects.toMatchObject({ name: 'NotWonBackError', plan: 'pro' });
    expect(await stands()).toEqual(['cancelled', 'ended', 'canceled', 1]);
  });

  it('says what is owed from before, for which the dunning goes on', async () => {
    const { customerId, billing } = world;
    const card = (paymentMethodId: string) => billing.attachPaymentMethod({ customerId, paymentMethodId });
    await card('pm_card_chargeCustomerFail');
    await world.advance('2025-12-05T12:00:00Z');
    await deleteTenant(world.parts, { tenantId });
    await world.advance('2025-12-20T12:00:00Z');
    await card('pm_card_visa');
    expect(await back()).toMatchObject({ tenant: { state: 'active' }, owedCents: 9_900 });
    await billing.payOpenInvoices(customerId);
    await deleteTenant(world.parts, { tenantId });
    await world.advance('2025-12-21T12:00:00Z');
    expect(await back()).toMatchObject({ owedCents: 0 });
  });

  it('of two at once gives one a key, and leaves it what it has', async () => {
    await deleteTenant(world.parts, { tenantId });
    await world.advance('2025-11-20T12:00:00Z');
    const asked = await Promise.allSettled([back(), back()]);
    expect(asked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await stands()).toEqual(['active', 'pro', 'active', 1]);
  });

  it('is refused without a card, and after the purge began', async () => {
    await deleteTenant(world.parts, { tenantId });
    const cards = await world.stripe.paymentMethods.list({ customer: world.customerId });
    await world.stripe.paymentMethods.detach(cards.data[0]?.id ?? '');
    await expect(back()).rejects.toMatchObject({ name: 'MissingCardError' });
    expect(await stands()).toEqual(['deleted', 'ended', 'canceled', 0]);
    await world.advance('2025-12-15T12:00:00Z');
    const parts = { ...world.parts, forget: [() => Promise.reject(new Error('away'))] };
    await expect(purgeTenant(parts, tenantId)).rejects.toThrow('away');
    await expect(back()).rejects.toMatchObject({ state: 'purging' });
    await purgeTenant({ ...world.parts, forget: [] }, tenantId);
    await expect(back()).rejects.toMatchObject({ state: 'purged' });
    expect(world.keys.size).toBe(0);
  });
});
