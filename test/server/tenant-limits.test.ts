import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DunningLedger, type DunningRecord } from '../../src/dunning/dunning-ledger.js';
import { recordTenants, type TenantState } from '../../src/metering/tenants.js';
import type { PlanName } from '../../src/plans.js';
import { inProcessQuotaGate } from '../../src/quotas/in-process-quota-gate.js';
import { tenantLimits } from '../../src/server/tenant-limits.js';
import { type Standing, setPlan, setStanding } from '../../src/tenants/gate-entry.js';
import { type Embedded, openEmbedded, refusedClient } from '../support/embedded.js';
import { problemOf, testApp } from '../support/test-app.js';

let engine: Embedded;
let ledger: DunningLedger;
/** A Redis that is away, and says so at once. */
let dead: Redis;
const away = refusedClient();
beforeAll(async () => {
  engine = await openEmbedded();
  ledger = await DunningLedger.open(engine.clickhouse);
  dead = new Redis({ port: 1, maxRetriesPerRequest: 0, retryStrategy: () => null, lazyConnect: true });
  dead.on('error', () => undefined);
});
afterAll(async () => {
  await engine.close();
  await away.close();
});

let count = 0;
let tenantId: string;
beforeEach(() => {
  count += 1;
  tenantId = `tenant-${count}`;
});

const now = new Date('2025-11-15T12:00:00Z');
const limitsWith = (given: Partial<Parameters<typeof tenantLimits>[0]> = {}) =>
  tenantLimits({ ...engine, ledger, now: () => now, ...given });
const subscribe = (plan: PlanName, { from = '2025-11-01', state = 'active' as TenantState } = {}) =>
  recordTenants(engine.clickhouse, [{ tenantId, plan, state, effectiveFrom: new Date(from) }]);
const note = (standing: Standing) => {
  const record: DunningRecord = {
    tenantId,
    number: 1,
    action: 'service_suspended',
    about: 'in_1',
    standing,
    at: now,
    text: 'x',
    told: true,
  };
  return ledger.keep([record]);
};
/** Redis's commands while a tenant is asked for. */
const queriesOf = async (limitsOf: (tenantId: string) => Promise<unknown>) => {
  const asked = vi.spyOn(engine.clickhouse, 'query');
  await limitsOf(tenantId);
  const calls = asked.mock.calls.length;
  asked.mockRestore();
  return calls;
};

describe('tenantLimits()', () => {
  it.each([
    ['good', { queries: 2_000, tokens: 2_000_000 }],
    ['reduced', { queries: 1_000, tokens: 1_000_000 }],
    ['suspended', 'suspended'],
  ] as const)('of a tenant that stands %s', async (standing, limits) => {
    await subscribe('starter');
    const limitsOf = limitsWith();
    await limitsOf(tenantId);
    await setStanding(engine.redis, tenantId, standing);
    expect(await limitsOf(tenantId)).toEqual(limits);
  });

  it('asks ClickHouse once, and then Redis alone', async () => {
    await subscribe('pro');
    const limitsOf = limitsWith();
    expect([await queriesOf(limitsOf), await queriesOf(limitsOf)]).toEqual([2, 0]);
  });

  it('holds a new plan and a new standing from the next query on', async () => {
    await subscribe('starter');
    const limitsOf = limitsWith();
    expect(await limitsOf(tenantId)).toMatchObject({ queries: 2_000 });
    await setPlan(engine.redis, tenantId, 'pro');
    expect(await limitsOf(tenantId)).toMatchObject({ queries: 20_000 });
    await setStanding(engine.redis, tenantId, 'reduced');
    expect(await limitsOf(tenantId)).toMatchObject({ queries: 10_000 });
    await setPlan(engine.redis, tenantId, 'none');
    expect(await limitsOf(tenantId)).toBe('ended');
  });

  it('forgets a plan after a minute, so that terms which were written past it are seen', async () => {
    await subscribe('starter');
    await limitsWith()(tenantId);
    const life = await engine.redis.pttl(`meterbridge:plan:{${tenantId}}`);
    expect(life).toBeGreaterThan(0);
    expect(life).toBeLessThanOrEqual(60_000);
  });

  it.each([
    ['none', []],
    ['some that begin tomorrow', ['2025-11-16', 'active']],
    ['some that ended', ['2025-11-02', 'deleted']],
    ['some that are suspended', ['2025-11-02', 'suspended']],
  ] as const)('of a tenant with terms: %s', async (_, [from, state]) => {
    if (from) await subscribe('pro', { from, state: state as TenantState });
    expect(await limitsWith()(tenantId)).toBe('ended');
  });

  it('takes the standing from the ledger when Redis was wiped', async () => {
    await subscribe('starter');
    await note('suspended');
    expect(await limitsWith()(tenantId)).toBe('suspended');
  });

  it('does not overwrite what was written while it looked', async () => {
    await subscribe('starter');
    const slow = {
      of: async (id: string) => {
        const records = await ledger.of(id);
        await setPlan(engine.redis, tenantId, 'pro');
        await setStanding(engine.redis, tenantId, 'reduced');
        return records;
      },
    };
    const limitsOf = limitsWith({ ledger: slow });
    await limitsOf(tenantId);
    expect(await limitsOf(tenantId)).toMatchObject({ queries: 10_000 });
  });
});

describe('while Redis is away', () => {
  it('a tenant has what it had when it was last seen', async () => {
    await subscribe('pro');
    let isAway = false;
    const flaky = {
      mget: (...keys: string[]) =>
        isAway ? Promise.reject(new Error('away')) : (engine.redis as unknown as Redis).mget(...keys),
      set: (...args: [string, string]) => engine.redis.set(...args),
    };
    const limitsOf = limitsWith({ redis: flaky as never });
    await limitsOf(tenantId);
    await setStanding(engine.redis, tenantId, 'reduced');
    await limitsOf(tenantId);
    isAway = true;
    await setStanding(engine.redis, tenantId, 'good');
    expect(await limitsOf(tenantId)).toMatchObject({ queries: 10_000 });
  });

  it('one that was not seen has what ClickHouse says', async () => {
    await subscribe('pro');
    await note('reduced');
    expect(await limitsWith({ redis: dead })(tenantId)).toMatchObject({ queries: 10_000 });
    expect(await limitsWith({ redis: dead })('nobody')).toBe('ended');
  });

  it('and ClickHouse too, it has the smallest plan, and that is said', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await subscribe('pro');
    const limitsOf = limitsWith({ redis: dead, clickhouse: away });
    expect(await limitsOf(tenantId)).toMatchObject({ queries: 2_000 });
    expect(log.mock.calls[0]?.[0]).toContain(`The gate takes ${tenantId} for what it was last`);
    log.mockRestore();
  });

  it('leaves it alone for a second, and comes back to it then', async () => {
    let at = 0;
    let asked = 0;
    const counting = {
      mget: async () => {
        asked += 1;
        throw new Error('away');
      },
    };
    const limitsOf = limitsWith({ redis: counting as never, clockMs: () => at });
    for (at of [0, 1, 999, 1_000]) await limitsOf(tenantId);
    expect(asked).toBe(2);
  });
});

describe('while ClickHouse is away', () => {
  it('what Redis knows holds, and the rest is taken for the smallest plan without being kept', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const limitsOf = limitsWith({ clickhouse: away });
    expect(await limitsOf(tenantId)).toMatchObject({ queries: 2_000 });
    await setPlan(engine.redis, tenantId, 'pro');
    expect(await limitsOf(tenantId)).toMatchObject({ queries: 20_000 });
    await subscribe('enterprise');
    await engine.redis.del([`meterbridge:plan:{${tenantId}}`]);
    expect(await limitsWith()(tenantId)).toMatchObject({ queries: 200_000 });
    log.mockRestore();
  });
});

describe('POST /query', () => {
  it.each([
    ['suspended', 402, 'The service is suspended: pay the open invoice, and it is back at once'],
    ['ended', 403, 'There is no subscription: subscribe to a plan, and ask again'],
  ] as const)(
    'of a tenant that is %s counts nothing and says how to come back',
    async (state, status, words) => {
      const gate = inProcessQuotaGate();
      let limits: 'suspended' | 'ended' | { queries: number; tokens: number } = state;
      const { ask, tracked } = testApp({ gate, limitsOf: async () => limits });
      for (let time = 1; time <= 3; time += 1) expect(await problemOf(await ask())).toEqual([status, words]);
      limits = { queries: 10, tokens: 10_000 };
      expect((await ask()).headers.get('ratelimit')).toContain('"queries";r=9');
      expect(tracked).toHaveLength(1);
    },
  );
});
