import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { inProcessQuotaGate } from '../../src/quotas/in-process-quota-gate.js';
import type { QuotaGate } from '../../src/quotas/quota-gate.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { openPrivateRedis } from '../support/private-redis.js';
import { type Asked, noon, requestOf } from '../support/quota-request.js';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await openPrivateRedis();
});
afterAll(() => redis.close());
beforeEach(() => redis.client.flushall());

describe.each([
  ['redisQuotaGate()', 'redis', () => redisQuotaGate(redis.client)],
  ['inProcessQuotaGate()', 'in-process', inProcessQuotaGate],
] as const)('%s', (_, mode, makeGate) => {
  let gate: QuotaGate;
  beforeEach(() => {
    gate = makeGate();
  });
  const reserve = (some: Asked = {}) => gate.reserve(requestOf(some));
  const passes = async (times: number, some: Asked = {}) => {
    const decisions = await Promise.all(Array.from({ length: times }, () => reserve(some)));
    return decisions.filter(({ allowed }) => allowed).length;
  };
  const used = async (some: Asked = {}) =>
    (await reserve({ ...some, queries: 0, tokens: 0 })).windows.map((window) => window.used);

  it('says which it is', () => {
    expect(gate.mode).toBe(mode);
  });

  it('lets ten through at a limit of ten; refuses the eleventh and does not count it', async () => {
    expect(await passes(10)).toBe(10);
    expect(await reserve()).toMatchObject({ allowed: false, refusedBy: 'queries' });
    expect(await used()).toEqual([10, 0]);
  });

  it('lets exactly the limit through of many at once', async () => {
    expect(await passes(100)).toBe(10);
  });

  it('describes each window after the decision', async () => {
    expect(await reserve({ queries: 3, tokens: 250 })).toEqual({
      allowed: true,
      windows: [
        {
          kind: 'queries',
          limit: 10,
          used: 3,
          remaining: 7,
          resetsAt: new Date('2025-11-16T00:00:00Z'),
          mark: 'ok',
        },
        {
          kind: 'tokens',
          limit: 1_000,
          used: 250,
          remaining: 750,
          resetsAt: new Date('2025-11-16T00:00:00Z'),
          mark: 'ok',
        },
      ],
    });
  });

  it('counts all windows or none', async () => {
    await reserve({ tokens: 900 });
    expect(await reserve({ queries: 1, tokens: 101 })).toMatchObject({ allowed: false, refusedBy: 'tokens' });
    expect(await used()).toEqual([1, 900]);
    expect(await reserve({ queries: 1, tokens: 100 })).toMatchObject({ allowed: true });
  });

  it('names the first window without room', async () => {
    expect(await reserve({ queries: 11, tokens: 1_001 })).toMatchObject({ refusedBy: 'queries' });
  });

  it('lets a smaller request through where a larger one had no room', async () => {
    expect((await reserve({ queries: 11 })).allowed).toBe(false);
    expect((await reserve({ queries: 10 })).allowed).toBe(true);
  });

  it('lets nothing asked for through, even where the limit is used up or zero', async () => {
    await reserve({ queries: 10 });
    expect((await reserve({ queries: 0, tokens: 5 })).allowed).toBe(true);
    expect((await reserve({ queries: 0, limits: [0, 0] })).allowed).toBe(true);
  });

  it('lets nothing through at a limit of zero', async () => {
    const { allowed, windows } = await reserve({ limits: [0, 0] });
    expect([allowed, windows[0]]).toMatchObject([false, { used: 0, remaining: 0, mark: 'block' }]);
  });

  it.each([
    [79, 'ok'],
    [80, 'warning'],
    [89, 'warning'],
    [90, 'alert'],
    [99, 'alert'],
    [100, 'block'],
  ])('marks %i of 100 as %s', async (queries, mark) => {
    expect((await reserve({ queries, limits: [100, 0] })).windows[0]?.mark).toBe(mark);
  });

  it('marks a share between two counts by the share: 7 of 9 is 77 percent, 8 is 88', async () => {
    const marks = [];
    for (const queries of [7, 1, 1])
      marks.push((await reserve({ queries, limits: [9, 0] })).windows[0]?.mark);
    expect(marks).toEqual(['ok', 'warning', 'block']);
  });

  it('goes by the limit of the request: a smaller plan blocks at once, with nothing remaining', async () => {
    await reserve({ queries: 10 });
    const { allowed, windows } = await reserve({ limits: [5, 1_000] });
    expect([allowed, windows[0]]).toMatchObject([false, { used: 10, remaining: 0, mark: 'block' }]);
  });

  it('begins a new day at 00:00 UTC', async () => {
    await reserve({ queries: 10, now: new Date('2025-11-15T23:59:59.999Z') });
    const { allowed, windows } = await reserve({ now: new Date('2025-11-16T00:00:00.000Z') });
    expect([allowed, windows[0]?.used, windows[0]?.resetsAt]).toEqual([
      true,
      1,
      new Date('2025-11-17T00:00:00Z'),
    ]);
  });

  it('still knows the day before when a request of it comes late', async () => {
    const late = new Date('2025-11-15T23:59:59.999Z');
    await reserve({ queries: 10, now: late });
    await reserve({ now: new Date('2025-11-16T00:00:00.000Z') });
    expect((await reserve({ now: late })).allowed).toBe(false);
  });

  it('keeps tenants apart, and a tenant whose name begins another’s', async () => {
    await reserve({ queries: 10, tenantId: 'acme' });
    expect(await used({ tenantId: 'acme-corp' })).toEqual([0, 0]);
  });

  it('gives back what was not used', async () => {
    await reserve({ queries: 1, tokens: 500 });
    await gate.refund(requestOf({ queries: 0, tokens: 380 }));
    expect(await used()).toEqual([1, 120]);
  });

  it('never gives back below zero', async () => {
    await reserve({ queries: 2 });
    await gate.refund(requestOf({ queries: 5, tokens: 5 }));
    expect(await used()).toEqual([0, 0]);
    expect(await passes(11)).toBe(10);
  });

  it('forgets one tenant’s day', async () => {
    await reserve({ queries: 10 });
    await reserve({ queries: 4, tenantId: 'beta-inc' });
    await gate.forget({ tenantId: 'acme-corp', now: noon });
    expect([await used(), await used({ tenantId: 'beta-inc' })]).toEqual([
      [0, 0],
      [4, 0],
    ]);
  });

  it('answers a ping', async () => {
    await expect(gate.ping()).resolves.toBeUndefined();
  });

  it.each([
    [{ queries: 0.5 }, 'amounts.queries must be a whole number of at least 0, current value is 0.5'],
    [{ queries: -1 }, 'amounts.queries must be a whole number of at least 0, current value is -1'],
    [{ tokens: NaN }, 'amounts.tokens must be a whole number of at least 0, current value is NaN'],
    [{ tokens: Infinity }, 'amounts.tokens must be a whole number of at least 0, current value is Infinity'],
    [{ queries: '1' }, 'amounts.queries must be a whole number of at least 0, current value is "1"'],
    [{ limits: [0.5, 1] }, 'limits.queries must be a whole number of at least 0, current value is 0.5'],
    [{ limits: [10, NaN] }, 'limits.tokens must be a whole number of at least 0, current value is NaN'],
    [{ now: new Date('never') }, 'now must be a valid Date, current value is Invalid Date'],
    [
      { tenantId: 'a}:x' },
      'tenantId must be 1 to 63 of a-z, 0-9, _ and -, a letter or digit first, current value is "a}:x"',
    ],
    [
      { tenantId: '' },
      'tenantId must be 1 to 63 of a-z, 0-9, _ and -, a letter or digit first, current value is ""',
    ],
  ])('refuses %o, and counts nothing', async (wrong, problem) => {
    await expect(reserve(wrong as Asked)).rejects.toThrow(
      new InvalidInputError('quota request', problem.split(' ')[0] ?? '', problem.replace(/^\S+ /, '')),
    );
    expect(await used()).toEqual([0, 0]);
  });

  it('refuses a refund of less than nothing, which would count', async () => {
    await expect(gate.refund(requestOf({ queries: -5 }))).rejects.toThrow(InvalidInputError);
    expect(await used()).toEqual([0, 0]);
  });

  it('refuses to forget a malformed tenant', async () => {
    await expect(gate.forget({ tenantId: '*', now: noon })).rejects.toThrow(InvalidInputError);
  });
});
