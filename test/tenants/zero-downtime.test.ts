import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLANS } from '../../src/plans.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import { changeTenantPlan } from '../../src/tenants/change-tenant-plan.js';
import { eventAbout } from '../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { testApp } from '../support/test-app.js';
import { tenantWorld } from './tenant-world.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const STREAMS = 4;
/** Upgrades, and as many downgrades; `npm run crash` sets 50. */
const ROUNDS = Number(process.env.PLAN_CHANGES ?? '10');
/** The 15th at noon, so many months after November 2025; or the 1st, some hours in. */
const middleOf = (month: number) => new Date(Date.UTC(2025, 10 + month, 15, 12));
const firstOf = (month: number) => new Date(Date.UTC(2025, 10 + month, 1, 6));

describe('queries while plans change', () => {
  it(`pass by the old limit or the new one, across ${ROUNDS} upgrades and ${ROUNDS} downgrades`, {
    timeout: 240_000,
  }, async () => {
    const tenantId = 'acme-corp';
    const world = await tenantWorld(engine, { tenantId });
    const app = testApp({ now: world.clock, gate: redisQuotaGate(engine.redis), limitsOf: world.limits });
    const limitOf = (plan: 'starter' | 'pro') => PLANS[plan].dailyLimits.queries;
    /** What a query may have for its limit now. */
    let right: readonly number[] = [limitOf('starter')];
    const wrong: string[] = [];
    const passed = new Map<number, number>();
    let isOver = false;

    const stream = async () => {
      while (!isOver) {
        const before = right;
        const response = await app.ask();
        const [, limit] = /"queries";q=(\d+)/.exec(response.headers.get('ratelimit-policy') ?? '') ?? [];
        passed.set(Number(limit), (passed.get(Number(limit)) ?? 0) + 1);
        if (response.status !== 200 || ![...before, ...right].includes(Number(limit)))
          wrong.push(
            `${response.status} with a limit of ${limit}, where ${[before, right].join(' or ')} holds`,
          );
      }
    };
    /** A change, during which both limits are right, and after which only the new one is. */
    const during = async (plan: 'starter' | 'pro', work: () => Promise<unknown>) => {
      right = [...right, limitOf(plan)];
      await work();
      right = [limitOf(plan)];
      for (let count = 0; count < STREAMS; count += 1) await app.ask();
    };

    const streams = Array.from({ length: STREAMS }, stream);
    for (let month = 0; month < ROUNDS; month += 1) {
      await world.advance(middleOf(month));
      await during('pro', () => changeTenantPlan(world.parts, { tenantId, plan: 'pro' }));
      await changeTenantPlan(world.parts, { tenantId, plan: 'starter' });
      await during('starter', async () => {
        await world.advance(firstOf(month + 1));
        await world.handle(eventAbout('customer.subscription.updated', world.subscriptionId));
      });
    }
    isOver = true;
    await Promise.all(streams);
    expect(wrong).toEqual([]);
    expect([...passed.keys()].sort((a, b) => a - b)).toEqual([limitOf('starter'), limitOf('pro')]);
    const changed = (await world.billing.invoicesOf(world.customerId)).filter(
      ({ reason }) => reason === 'subscription_update',
    );
    expect(changed).toHaveLength(2 * ROUNDS);
    console.log(`zero downtime: queries by their limit: ${JSON.stringify([...passed])}`);
  });
});
