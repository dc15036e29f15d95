import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PlanName } from '../../../src/plans.js';
import { changeTenantPlan } from '../../../src/tenants/change-tenant-plan.js';
import { OnboardingProgress } from '../../../src/tenants/onboarding/progress.js';
import { tenantStatus } from '../../../src/tenants/onboarding/tenant-status.js';
import { eventAbout } from '../../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../../support/embedded.js';
import { type TenantWorld, tenantWorld } from '../tenant-world.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let world: TenantWorld;
let tenantId: string;
let count = 0;
const open = async (planType: PlanName) => {
  count += 1;
  tenantId = `tenant-${count}`;
  world = await tenantWorld(engine, { tenantId, planType });
};
/** What a tenant reads of its plan. */
const plans = async () => {
  const progress = new OnboardingProgress(engine.redis);
  const services = { ...engine, lifecycle: world.lifecycle, progress };
  const status = await tenantStatus(services, { tenantId, now: world.clock() });
  const { state, plan, next_plan, holds_from } = status ?? {};
  return [state, plan, next_plan, holds_from];
};
const change = (plan: PlanName) => changeTenantPlan(world.parts, { tenantId, plan });
const subscriptionChanged = () =>
  world.handle(eventAbout('customer.subscription.updated', world.subscriptionId));

describe('tenantStatus() after a downgrade', () => {
  beforeEach(() => open('pro'));

  it('names the plan that holds, and the one that holds from the 1st', async () => {
    expect(await plans()).toEqual(['active', 'pro', undefined, undefined]);
    await change('starter');
    expect(await plans()).toEqual(['active', 'pro', 'starter', '2025-12-01T00:00:00.000Z']);
    expect(await world.atTheGate()).toBe('pro');
    await world.lifecycle.transition({ tenantId, event: 'suspend', by: 'test' });
    expect(await plans()).toEqual(['suspended', 'pro', 'starter', '2025-12-01T00:00:00.000Z']);
    await world.advance('2025-12-01T06:00:00Z');
    await subscriptionChanged();
    expect(await plans()).toEqual(['suspended', 'starter', undefined, undefined]);
  });

  it('names no other one when it was taken back', async () => {
    await change('starter');
    await change('pro');
    expect(await plans()).toEqual(['active', 'pro', undefined, undefined]);
  });
});

describe('tenantStatus() after an upgrade whose worker died', () => {
  beforeEach(() => open('starter'));
  /** A worker that is killed after Stripe made the change, or before it. */
  const died = async ({ isMade }: { isMade: boolean }) => {
    await world.lifecycle.transition({ tenantId, event: 'upgrade', plan: 'pro', by: 'test' });
    const { subscriptionId } = world;
    if (isMade) await world.billing.changePlan({ subscriptionId, planType: 'pro' });
    if (isMade) await subscriptionChanged();
    await world.advance('2025-11-15T12:15:00Z');
  };
  const agreed = async () => (await world.lifecycle.read(tenantId))?.plan;

  it.each([
    [true, 'pro'],
    [false, 'starter'],
  ] as const)('names the plan that Stripe bills (made there: %s)', async (isMade, plan) => {
    await died({ isMade });
    await world.lifecycle.expireStale();
    expect([await plans(), await agreed(), await world.atTheGate()]).toEqual([
      ['active', plan, undefined, undefined],
      plan,
      plan,
    ]);
  });

  it('goes on where Stripe can be asked again, with the next transition say', async () => {
    await died({ isMade: true });
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    world.local.faults = () => 'unavailable';
    expect(await world.lifecycle.expireStale()).toEqual([]);
    expect(log.mock.calls.flat().join()).toContain(`The end of what ${tenantId} began waits: Stripe is not`);
    log.mockRestore();
    world.local.faults = () => undefined;
    expect(await world.lifecycle.transition({ tenantId, event: 'suspend', by: 'test' })).toMatchObject({
      state: 'suspended',
      plan: 'pro',
    });
  });
});
