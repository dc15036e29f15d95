import { beforeEach, describe, expect, it } from 'vitest';
import { CustomerDiffersError, WrongTenantError } from '../../src/billing/billing-errors.js';
import { ACME, type ManagerWorld, managerWorld } from './manager-world.js';

let world: ManagerWorld;
beforeEach(async () => {
  world = await managerWorld();
});
const customers = async () =>
  (await world.stripe.customers.list({ test_clock: world.clock.ids()[0] as string })).data;

describe('createCustomer()', () => {
  it('finds what was made before, also when Stripe has forgotten the key', async () => {
    await world.advance('2025-11-03T00:00:00Z');
    expect(await world.manager().createCustomer(ACME)).toBe(world.customerId);
    expect(await customers()).toHaveLength(1);
  });

  it('names what differs, on the same day and later', async () => {
    for (const day of ['2025-11-01T00:00:01Z', '2025-11-03T00:00:00Z']) {
      await world.advance(day);
      const other = world.manager().createCustomer({ ...ACME, email: 'other@acme.example' });
      await expect(other).rejects.toThrow(
        new CustomerDiffersError('acme-corp', world.customerId, 'email', ACME.email, 'other@acme.example'),
      );
    }
    expect(await world.manager().getOrCreateCustomer({ ...ACME, name: 'Acme' })).toBe(world.customerId);
  });

  it('makes one for two processes at once that name it differently', async () => {
    const beta = { tenantId: 'beta-inc', email: 'a@beta.example', name: 'Beta' };
    const results = await Promise.allSettled([
      world.manager().createCustomer(beta),
      world.manager().createCustomer({ ...beta, email: 'b@beta.example' }),
    ]);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused).toEqual([expect.any(CustomerDiffersError)]);
    expect((await customers()).filter(({ metadata }) => metadata.tenant_id === 'beta-inc')).toHaveLength(1);
  });

  it('makes another one when the first was deleted, within the day that Stripe keeps the key', async () => {
    await world.stripe.customers.del(world.customerId);
    const ids = [await world.billing.createCustomer(ACME), await world.manager().createCustomer(ACME)];
    expect(new Set(ids).size).toBe(1);
    expect(ids).not.toContain(world.customerId);
  });
});

describe('findCustomer()', () => {
  it('looks again where the one that it knows is no longer the tenant’s', async () => {
    await world.stripe.customers.update(world.customerId, { metadata: { tenant_id: '' } });
    expect(await world.billing.findCustomer('acme-corp')).toBeUndefined();
    const id = await world.manager().createCustomer(ACME);
    expect(await world.billing.findCustomer('acme-corp')).toBe(id);
  });

  it('sees what another process has made since it looked, and reads no more than that', async () => {
    const { billing, stripe, clock } = world;
    for (let count = 1; count <= 120; count += 1)
      await stripe.customers.create({ test_clock: clock.ids()[0] as string });
    expect(await billing.findCustomer('beta-inc')).toBeUndefined();
    const contact = { tenantId: 'beta-inc', email: 'b@beta.example', name: 'Beta' };
    const id = await world.manager().createCustomer(contact);
    let pages = 0;
    world.local.faults = ({ path }) => {
      if (path === '/v1/customers') pages += 1;
      return undefined;
    };
    expect(await billing.findCustomer('beta-inc')).toBe(id);
    expect(pages).toBe(1);
  });

  it('reads all again after a reading that failed on its way', async () => {
    const { billing, stripe, clock, local, customerId } = world;
    for (let count = 1; count <= 120; count += 1)
      await stripe.customers.create({ test_clock: clock.ids()[0] as string });
    const other = world.manager();
    let pages = 0;
    local.faults = ({ path }) => {
      if (path === '/v1/customers') pages += 1;
      return pages === 2 ? 'unavailable' : undefined;
    };
    await expect(other.findCustomer('acme-corp')).rejects.toThrow();
    expect(await other.createCustomer(ACME)).toBe(customerId);
    expect(await billing.findCustomer('acme-corp')).toBe(customerId);
  });
});

describe('customerFor()', () => {
  it('takes a subscription of the tenant, and refuses another tenant’s', async () => {
    await world.addCard();
    const { subscriptionId } = await world.subscribe('starter', 0);
    expect(await world.billing.customerFor({ tenantId: 'acme-corp', subscriptionId })).toBe(world.customerId);
    await expect(world.billing.customerFor({ tenantId: 'beta-inc', subscriptionId })).rejects.toThrow(
      new WrongTenantError(subscriptionId, 'beta-inc', 'acme-corp'),
    );
  });

  it('goes by the customer where a subscription names no tenant', async () => {
    const { stripe, catalogue, customerId: customer } = world;
    const items = [{ price: catalogue.plans.starter.basePriceId }];
    const { id } = await stripe.subscriptions.create({ customer, items, trial_period_days: 3 });
    const billing = world.manager();
    expect(await billing.customerFor({ tenantId: 'acme-corp', subscriptionId: id })).toBe(customer);
    await stripe.customers.update(customer, { metadata: { tenant_id: '' } });
    await expect(billing.customerFor({ tenantId: 'acme-corp', subscriptionId: id })).rejects.toThrow(
      `Cannot bill acme-corp by subscription ${id}: it is no tenant's`,
    );
  });
});
