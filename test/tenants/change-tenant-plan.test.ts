import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tenantTermsIn } from '../../src/metering/tenants.js';
import { parseMonth } from '../../src/period.js';
import { changeTenantPlan, previewTenantPlan } from '../../src/tenants/change-tenant-plan.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { UseExceedsPlanError } from '../../src/tenants/use-exceeds-plan-error.js';
import { eventAbout } from '../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { failing, type TenantWorld, tenantWorld } from './tenant-world.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let world: TenantWorld;
let tenantId: string;
let count = 0;
const open = async (planType: 'starter' | 'pro' | 'enterprise' = 'starter') => {
  count += 1;
  tenantId = `tenant-${count}`;
  world = await tenantWorld(engine, { tenantId, planType });
};
beforeEach(() => open());

const change = (plan: 'starter' | 'pro' | 'enterprise') => changeTenantPlan(world.parts, { tenantId, plan });
const log = async () =>
  (await readLifecycleLog(engine.clickhouse, tenantId)).slice(3).map(({ event }) => event);
const invoiced = async () =>
  (await world.billing.invoicesOf(world.customerId)).map(({ totalCents }) => totalCents);

describe('changeTenantPlan() to a dearer plan', () => {
  it('holds at once, and Stripe takes what the preview said', async () => {
    const preview = await previewTenantPlan(world.parts, { tenantId, plan: 'pro' });
    expect([await world.state(), await world.atTheGate(), await invoiced()]).toEqual([
      'active',
      'starter',
      [2_900],
    ]);
    const done = await change('pro');
    expect(done).toMatchObject({
      kind: 'upgrade',
      tenant: { state: 'active', plan: 'pro', version: 5 },
      holdsFrom: world.clock(),
      proration: { totalCents: 3_733 },
    });
    expect(done.proration).toEqual(preview.proration);
    expect(await invoiced()).toEqual([2_900, 3_733]);
    expect(await world.atTheGate()).toBe('pro');
    const terms = await tenantTermsIn(engine.clickhouse, { tenantId, period: parseMonth('2025-11') });
    expect(terms.map(({ plan, effectiveFrom }) => `${plan} ${effectiveFrom.toISOString()}`)).toEqual([
      'starter 2025-11-01T00:00:00.000Z',
      'pro 2025-11-15T00:00:00.000Z',
    ]);
    expect(await log()).toEqual(['upgrade', 'complete']);
  });

  it('has its limits before Stripe is told, so that nobody pays for what is not there', async () => {
    const seen: unknown[] = [];
    const billing = {
      ...billingOf(world),
      changePlan: async (wanted: Parameters<typeof world.billing.changePlan>[0]) => {
        seen.push(await world.atTheGate(), await world.state());
        return world.billing.changePlan(wanted);
      },
    };
    await changeTenantPlan({ ...world.parts, billing }, { tenantId, plan: 'pro' });
    expect(seen).toEqual(['pro', 'upgrading']);
  });

  it('is taken back everywhere when Stripe does not do it, and can be asked for again', async () => {
    const mend = failing(world, /subscriptions/);
    await expect(change('pro')).rejects.toThrow('Stripe is not available');
    mend();
    expect([await world.state(), await world.atTheGate()]).toEqual(['active', 'starter']);
    expect((await world.subscription())?.planType).toBe('starter');
    expect(await log()).toEqual(['upgrade', 'fail']);
    expect((await change('pro')).tenant).toMatchObject({ state: 'active', plan: 'pro' });
    expect(await invoiced()).toEqual([2_900, 3_733]);
  });

  it('leaves the old limits where Stripe cannot even be asked what it has', async () => {
    world.local.faults = ({ method }) => (method === 'POST' ? allAway() : undefined);
    const allAway = () => {
      world.local.faults = () => 'unavailable';
      return 'unavailable' as const;
    };
    // The preview is a POST too, so it is done before.
    const billing = { ...billingOf(world), previewPlanChange: async () => ({ lines: [], totalCents: 0 }) };
    await expect(changeTenantPlan({ ...world.parts, billing }, { tenantId, plan: 'pro' })).rejects.toThrow(
      'Stripe is not available',
    );
    world.local.faults = () => undefined;
    expect([await world.state(), await world.atTheGate()]).toEqual(['active', 'starter']);
  });

  it('has the limits that are paid where the answer was lost, and charges nothing again', async () => {
    const mend = failing(world, /subscriptions/, 'lost_answer');
    await expect(change('pro')).rejects.toThrow('connection');
    mend();
    expect([await world.state(), await world.atTheGate()]).toEqual(['active', 'pro']);
    expect(await change('pro')).toMatchObject({ kind: 'upgrade', proration: { totalCents: 0 } });
    expect(await invoiced()).toEqual([2_900, 3_733]);
    expect(await change('pro')).toMatchObject({ kind: 'none', tenant: { plan: 'pro' } });
  });
});

describe('changeTenantPlan() to a cheaper plan', () => {
  beforeEach(() => open('pro'));

  it('holds from the 1st of next month', async () => {
    const done = await change('starter');
    expect(done).toMatchObject({
      kind: 'downgrade',
      tenant: { state: 'active', plan: 'starter' },
      holdsFrom: new Date('2025-12-01T00:00:00Z'),
      proration: { totalCents: 0 },
    });
    expect([await world.atTheGate(), (await world.subscription())?.planType]).toEqual(['pro', 'pro']);
    await world.advance('2025-12-01T06:00:00Z');
    await world.handle(eventAbout('customer.subscription.updated', world.subscriptionId));
    expect([await world.atTheGate(), (await world.subscription())?.planType]).toEqual(['starter', 'starter']);
  });

  it('is taken back for nothing before that', async () => {
    await change('starter');
    expect(await change('pro')).toMatchObject({ kind: 'upgrade', tenant: { plan: 'pro' } });
    expect(await invoiced()).toEqual([9_900]);
    await world.advance('2025-12-01T06:00:00Z');
    await world.handle(eventAbout('customer.subscription.updated', world.subscriptionId));
    expect((await world.subscription())?.planType).toBe('pro');
  });

  it('is a cheaper one for Stripe, whatever other plan waits', async () => {
    await open('enterprise');
    await change('starter');
    expect(await change('pro')).toMatchObject({ kind: 'downgrade', tenant: { plan: 'pro' } });
    expect(await world.atTheGate()).toBe('enterprise');
  });

  it('is refused when a day of the last thirty used more than it has, and nothing changes', async () => {
    await useOf(['2025-10-17T00:00:00Z', 2_001], ['2025-11-14T10:00:00Z', 1_500]);
    const refused = change('starter');
    await expect(refused).rejects.toThrow(UseExceedsPlanError);
    await expect(refused).rejects.toMatchObject({ day: '2025-10-17', used: { queries: 2_001 } });
    await expect(refused).rejects.toThrow(
      `Cannot change ${tenantId} to starter: on 2025-10-17 it used 2001 of 2000 queries and 0 of 2000000 tokens that starter has for a day`,
    );
    expect([await log(), (await world.lifecycle.read(tenantId))?.plan]).toEqual([[], 'pro']);
  });

  it('is refused for tokens too', async () => {
    await useOf(['2025-11-15T10:00:00Z', 1, 2_000_001]);
    await expect(change('starter')).rejects.toMatchObject({ used: { queries: 1, tokens: 2_000_001 } });
  });

  it('is not refused for what is older, for a full day, or for more than is included', async () => {
    const days = Array.from({ length: 14 }, (_, day): [string, number] => [
      `2025-11-${String(day + 1).padStart(2, '0')}T10:00:00Z`,
      2_000,
    ]);
    await useOf(['2025-10-16T23:59:59Z', 9_000], ...days);
    expect(await change('starter')).toMatchObject({ kind: 'downgrade' });
  });
});

describe('changeTenantPlan() of several at once', () => {
  it('makes one of two, and refuses the other with the current state', async () => {
    const asked = await Promise.allSettled([change('pro'), change('enterprise')]);
    expect(asked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { reason } = asked.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(reason).toMatchObject({ name: 'TransitionRefusedError', state: 'upgrading' });
    const plan = (await world.lifecycle.read(tenantId))?.plan;
    expect([await world.atTheGate(), (await world.subscription())?.planType]).toEqual([plan, plan]);
    expect(await invoiced()).toHaveLength(2);
  });

  it.each(['pro', 'enterprise'] as const)(
    'goes by what it looked at: after a change to %s meanwhile it is refused, before Stripe is asked again',
    async (other) => {
      const billing = {
        ...billingOf(world),
        async findSubscription(customerId: string) {
          const found = await world.billing.findSubscription(customerId);
          await change(other);
          return found;
        },
      };
      const late = changeTenantPlan({ ...world.parts, billing }, { tenantId, plan: 'pro' });
      await expect(late).rejects.toMatchObject({ state: 'active', version: 5, changed: true });
      expect(await world.atTheGate()).toBe(other);
    },
  );

  it.each(['suspend', 'delete', 'cancel'] as const)(
    'is refused after %s, before Stripe is asked',
    async (event) => {
      await world.lifecycle.transition({ tenantId, event, by: 'test' });
      world.local.faults = () => 'unavailable';
      await expect(change('pro')).rejects.toMatchObject({ name: 'TransitionRefusedError' });
      await expect(previewTenantPlan(world.parts, { tenantId, plan: 'pro' })).rejects.toMatchObject({
        name: 'TransitionRefusedError',
      });
    },
  );

  it('knows no tenant that did not sign up, and none without a subscription', async () => {
    const unknown = changeTenantPlan(world.parts, { tenantId: 'nobody', plan: 'pro' });
    await expect(unknown).rejects.toMatchObject({ state: 'none' });
    await world.billing.cancelSubscription({ subscriptionId: world.subscriptionId, atPeriodEnd: false });
    await expect(change('pro')).rejects.toMatchObject({ name: 'NoSubscriptionError' });
  });
});

/** Its methods, so that one of them can be replaced. */
function billingOf({ billing }: TenantWorld) {
  return {
    findCustomer: (id: string) => billing.findCustomer(id),
    findSubscription: (id: string) => billing.findSubscription(id),
    previewPlanChange: (wanted: Parameters<typeof billing.previewPlanChange>[0]) =>
      billing.previewPlanChange(wanted),
    changePlan: (wanted: Parameters<typeof billing.changePlan>[0]) => billing.changePlan(wanted),
  };
}

/** Puts days of use into the rollup: [day, queries, tokens]. */
async function useOf(...days: [day: string, queries: number, tokens?: number][]): Promise<void> {
  const rows = days.map(([day, events, tokens = 0]) => ({
    ...{ tenant_id: tenantId, day: day.slice(0, 10), event_type: 'query', model: 'gpt-4o' },
    ...{ events, queries: events, tokens_input: tokens, tokens_output: 0, bytes: 0, cost_usd: '0' },
  }));
  await engine.clickhouse.insert({ table: 'usage_daily', values: rows, format: 'JSONEachRow' });
}
