import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { TenantLifecycle } from '../../src/tenants/lifecycle.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { LifecycleStore } from '../../src/tenants/lifecycle-store.js';
import { TransitionRefusedError } from '../../src/tenants/transition-refused-error.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { BEGINNING, type LifecycleBench, lifecycleBench, TO } from '../support/lifecycle.js';

let engine: Embedded;
let bench: LifecycleBench;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

/** Each test has a tenant of its own. */
let tenantId = '';
let count = 0;
beforeEach(async () => {
  count += 1;
  tenantId = `tenant-${count}`;
  bench = await lifecycleBench(engine);
});
const log = async () =>
  (await readLifecycleLog(engine.clickhouse, tenantId)).map(({ version, event }) => `${version} ${event}`);
const stateNow = async () => (await bench.lifecycle.read(tenantId))?.state;
const LATER = '2025-11-15T12:15:00.000Z';

describe('TenantLifecycle.transition()', () => {
  it('runs as its example says', async () => {
    const { redis, clickhouse } = engine;
    const lifecycle = await TenantLifecycle.open(redis, clickhouse);
    const by = 'signup';
    await lifecycle.transition({ tenantId: 'acme-corp', event: 'sign_up', plan: 'starter', by });
    const { version } = await lifecycle.transition({ tenantId: 'acme-corp', event: 'pay', by });
    await lifecycle.transition({ tenantId: 'acme-corp', event: 'complete', version, by });
    expect((await lifecycle.read('acme-corp'))?.state).toBe('active');
  });

  it('logs who did what and when, in ClickHouse once it returns', async () => {
    await bench.walk(tenantId, 'sign_up');
    bench.setClock(LATER);
    await bench.lifecycle.transition({ tenantId, event: 'delete', by: 'tenant', reason: 'changed its mind' });
    const entries = await readLifecycleLog(engine.clickhouse, tenantId);
    const shared = { tenantId, plan: 'starter' };
    expect(entries).toEqual([
      {
        ...shared,
        version: 1,
        event: 'sign_up',
        from: 'none',
        state: 'pending_payment',
        at: new Date(BEGINNING),
        by: 'test',
      },
      {
        ...shared,
        version: 2,
        event: 'delete',
        from: 'pending_payment',
        state: 'deleted',
        at: new Date(LATER),
        by: 'tenant',
        reason: 'changed its mind',
      },
    ]);
    expect(await bench.lifecycle.read(tenantId)).toEqual(entries[1]);
  });

  it('refuses what the state does not allow, and changes nothing', async () => {
    const before = await bench.walk(tenantId, ...TO.upgrading);
    const refused = bench.walk(tenantId, 'upgrade');
    await expect(refused).rejects.toThrow(TransitionRefusedError);
    await expect(refused).rejects.toMatchObject({
      ...{ tenantId, event: 'upgrade', state: 'upgrading', version: 4 },
      ...{ allowed: ['complete', 'fail'], changed: false },
    });
    expect(await bench.lifecycle.read(tenantId)).toEqual(before);
    expect(await log()).toEqual(['1 sign_up', '2 pay', '3 complete', '4 upgrade']);
  });

  it('knows no tenant that did not sign up, and none twice', async () => {
    await expect(bench.walk(tenantId, 'upgrade')).rejects.toMatchObject({
      state: 'none',
      allowed: ['sign_up'],
    });
    await bench.walk(tenantId, 'sign_up');
    await expect(bench.walk(tenantId, 'sign_up')).rejects.toMatchObject({ state: 'pending_payment' });
  });

  it('refuses a malformed request and a clock without a date, and changes nothing', async () => {
    await expect(bench.lifecycle.read('../etc/passwd')).rejects.toThrow(InvalidInputError);
    const request = { tenantId, event: 'sign_up', plan: 'pro', by: 'test' } as const;
    await expect(bench.lifecycle.transition({ ...request, plan: 'free' as 'pro' })).rejects.toThrow(
      'plan must be one of starter, pro, enterprise, current value is "free"',
    );
    bench.setClock('never');
    await expect(bench.lifecycle.transition(request)).rejects.toThrow(RangeError);
    expect(await bench.lifecycle.read(tenantId)).toBeUndefined();
  });

  it('takes a call that the client sent again after a lost answer for the same call', async () => {
    const store = new LifecycleStore(engine.redis);
    const redis = engine.redis as unknown as { setLifecycle(...args: unknown[]): Promise<unknown> };
    const send = redis.setLifecycle;
    redis.setLifecycle = async (...args) => {
      await send.apply(redis, args);
      return send.apply(redis, args);
    };
    try {
      await bench.walk(tenantId, ...TO.upgrading);
    } finally {
      redis.setLifecycle = send;
    }
    expect(await log()).toEqual(['1 sign_up', '2 pay', '3 complete', '4 upgrade']);
    expect(await store.waiting(1)).toEqual([]);
  });
});

describe('TenantLifecycle.during()', () => {
  const upgrade = () => ({ tenantId, event: 'upgrade', plan: 'pro', by: 'tenant' }) as const;

  it('completes what was done', async () => {
    await bench.walk(tenantId, ...TO.active);
    const after = await bench.lifecycle.during(upgrade(), async ({ plan, targetPlan }) => {
      expect([plan, targetPlan, await stateNow()]).toEqual(['starter', 'pro', 'upgrading']);
    });
    expect(after).toMatchObject({ state: 'active', plan: 'pro', version: 5 });
  });

  it('rolls back what failed: the old plan, and the failure for the caller', async () => {
    await bench.walk(tenantId, ...TO.active);
    const work = async () => Promise.reject(new RangeError('no such price'));
    await expect(bench.lifecycle.during(upgrade(), work)).rejects.toThrow('no such price');
    expect(await bench.lifecycle.read(tenantId)).toMatchObject({
      ...{ event: 'fail', state: 'active', plan: 'starter', reason: 'RangeError' },
    });
  });
});

describe('a transition whose worker died', () => {
  it('expires a millisecond after its last one, and rolls back', async () => {
    await bench.walk(tenantId, ...TO.upgrading);
    bench.setClock('2025-11-15T12:14:59.999Z');
    expect(await bench.lifecycle.expireStale()).toEqual([]);
    bench.setClock(LATER);
    const mine = (await bench.lifecycle.expireStale()).filter((entry) => entry.tenantId === tenantId);
    expect(mine).toMatchObject([{ event: 'expire', state: 'active', plan: 'starter', by: 'lifecycle' }]);
    expect(await bench.lifecycle.expireStale()).toEqual([]);
    expect((await log()).at(-1)).toBe('5 expire');
  });

  it('is rolled back by the next transition too', async () => {
    await bench.walk(tenantId, ...TO.upgrading);
    bench.setClock(LATER);
    await bench.walk(tenantId, 'suspend');
    expect((await log()).slice(3)).toEqual(['4 upgrade', '5 expire', '6 suspend']);
  });

  it('is in the log even where the transition that noticed it is refused', async () => {
    await bench.walk(tenantId, ...TO.upgrading);
    bench.setClock(LATER);
    await expect(bench.walk(tenantId, 'pay')).rejects.toMatchObject({ state: 'active', version: 5 });
    expect((await log()).at(-1)).toBe('5 expire');
  });

  it('is not completed by it when it wakes up, whoever noticed and whatever began since', async () => {
    const { version } = await bench.walk(tenantId, ...TO.upgrading);
    const complete = () => bench.lifecycle.transition({ tenantId, event: 'complete', version, by: 'dead' });
    bench.setClock(LATER);
    await expect(complete()).rejects.toMatchObject({ state: 'active', version: 5, changed: true });
    await bench.walk(tenantId, 'upgrade');
    await expect(complete()).rejects.toMatchObject({ state: 'upgrading', version: 6, changed: true });
    expect(await bench.lifecycle.read(tenantId)).toMatchObject({ state: 'upgrading', plan: 'starter' });
  });

  it('waits for its time when the clock goes back', async () => {
    await bench.walk(tenantId, ...TO.upgrading);
    bench.setClock('2025-11-14T00:00:00.000Z');
    expect(await bench.lifecycle.expireStale()).toEqual([]);
    expect((await bench.walk(tenantId, 'complete')).at).toEqual(new Date(BEGINNING));
  });
});

describe('LifecycleStore.replace()', () => {
  it('compares the version, not the state alone', async () => {
    const store = new LifecycleStore(engine.redis);
    const first = await bench.walk(tenantId, ...TO.upgrading);
    await bench.walk(tenantId, 'fail', 'upgrade');
    const stale = { ...first, event: 'complete', state: 'active', version: 5, plan: 'pro' } as const;
    expect(await store.replace(first, stale)).toEqual({ won: false, state: 'upgrading', version: 6 });
    expect(await stateNow()).toBe('upgrading');
    expect(await store.waiting(1)).toEqual([]);
  });

  it('compares the state too', async () => {
    const store = new LifecycleStore(engine.redis);
    const active = await bench.walk(tenantId, ...TO.active);
    const wrong = { ...active, state: 'suspended' } as const;
    expect((await store.replace(wrong, { ...active, version: 4 })).won).toBe(false);
    expect(await bench.lifecycle.read(tenantId)).toEqual(active);
  });
});
