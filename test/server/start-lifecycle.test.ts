import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLifecycle } from '../../src/server/start-lifecycle.js';
import { deleteTenant } from '../../src/tenants/delete-tenant.js';
import { LifecycleStore } from '../../src/tenants/lifecycle-store.js';
import type { PurgeReport } from '../../src/tenants/purge-tenant.js';
import { type Fronted, openFronted } from '../support/fronted.js';
import { openPrivateRedis } from '../support/private-redis.js';
import { failing, tenantWorld } from '../tenants/tenant-world.js';

let redis: Awaited<ReturnType<typeof openPrivateRedis>>;
let engine: Fronted;
beforeAll(async () => {
  [redis, engine] = [await openPrivateRedis(), await openFronted()];
});
afterAll(async () => {
  await engine.close();
  await redis.close();
});

describe('startLifecycle()', () => {
  it('moves the log, expires what is overdue, ends deletions and purges them, and closes', async () => {
    const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const services = { redis: redis.client, clickhouse: engine.clickhouse };
    const world = await tenantWorld(services, { tenantId: 'acme-corp' });
    const { lifecycle } = world;
    const [store, tenantId] = [new LifecycleStore(redis.client), 'acme-corp'];
    const reports: PurgeReport[] = [];
    const start = () =>
      startLifecycle({
        ...{ ...world.parts, forget: [], everyMs: 5 },
        onPurge: async (report) => void reports.push(report),
      });

    // Left by a process that was killed while ClickHouse was away.
    engine.front.faults.push('500');
    await lifecycle.transition({ tenantId, event: 'upgrade', plan: 'pro', by: 'tenant', timeoutMs: 1 });
    expect(await store.waiting(10)).toHaveLength(1);
    await world.advance('2025-11-15T12:00:01Z');
    let running = start();
    await vi.waitFor(async () => expect(await world.state()).toBe('active'), 20_000);
    await vi.waitFor(async () => expect(await store.waiting(10)).toEqual([]), 20_000);
    await running.close();

    const mend = failing(world, /subscriptions/);
    await deleteTenant(world.parts, { tenantId });
    mend();
    running = start();
    await vi.waitFor(async () => expect((await world.subscription())?.status).toBe('canceled'), 20_000);
    expect([await world.state(), reports]).toEqual(['deleted', []]);
    await running.close();

    await world.advance('2025-12-15T12:00:01Z');
    running = start();
    await vi.waitFor(async () => expect(await world.state()).toBe('purged'), 20_000);
    await running.close();
    expect(reports).toMatchObject([{ tenantId, isComplete: true }]);
    quiet.mockRestore();
  });

  it('ends what a win-back left that came to nothing, and nothing else', async () => {
    const services = { redis: redis.client, clickhouse: engine.clickhouse };
    const world = await tenantWorld(services, { tenantId: 'gamma-llc', planType: 'pro' });
    const { lifecycle, billing, customerId, subscriptionId } = world;
    const tenantId = 'gamma-llc';
    await billing.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    await lifecycle.transition({ tenantId, event: 'cancel', by: 'stripe' });
    await world.advance('2025-11-20T12:00:00Z');
    // Killed after its subscription was made.
    await lifecycle.transition({ tenantId, event: 'win_back', by: 'support', timeoutMs: 1 });
    await billing.createSubscription({ customerId, tenantId, planType: 'pro', trialDays: 0 });
    await world.advance('2025-11-20T12:00:01Z');
    const running = startLifecycle({ ...world.parts, forget: [], everyMs: 5 });
    await vi.waitFor(async () => expect((await world.subscription())?.status).toBe('canceled'), 20_000);
    await running.close();
    expect([await world.state(), await world.atTheGate()]).toEqual(['cancelled', 'ended']);
  });

  it('goes on after a round that failed', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const services = { redis: redis.client, clickhouse: engine.clickhouse };
    const world = await tenantWorld(services, { tenantId: 'beta-inc' });
    const moveLog = vi.spyOn(world.lifecycle, 'moveLog').mockRejectedValueOnce(new Error('away'));
    const running = startLifecycle({ ...world.parts, forget: [], everyMs: 5 });
    await vi.waitFor(() => expect(moveLog.mock.calls.length).toBeGreaterThan(3), 20_000);
    await running.close();
    const calls = moveLog.mock.calls.length;
    expect(said.mock.calls.flat()).toContain('Tenants: away; tried again in the next round');
    await world.lifecycle.expireStale();
    expect(moveLog.mock.calls).toHaveLength(calls);
    said.mockRestore();
  });
});
