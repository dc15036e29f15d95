import { beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { inProcessQuotaGate } from '../../src/quotas/in-process-quota-gate.js';
import type { QuotaGate } from '../../src/quotas/quota-gate.js';
import { steadyQuotaGate } from '../../src/quotas/steady-quota-gate.js';
import { noon, requestOf } from '../support/quota-request.js';

/** A gate that can be taken away, and a clock. */
let away: boolean;
let clock: number;
let asked: number;
let redis: QuotaGate;
beforeEach(() => {
  away = false;
  clock = 0;
  asked = 0;
  const inner = inProcessQuotaGate();
  const whenThere = async <T>(work: () => Promise<T>) => {
    asked += 1;
    if (away) throw new Error('connect ECONNREFUSED');
    return work();
  };
  redis = {
    mode: 'redis',
    reserve: (request) => whenThere(() => inner.reserve(request)),
    refund: (request) => whenThere(() => inner.refund(request)),
    forget: (tenant) => whenThere(() => inner.forget(tenant)),
    ping: () => whenThere(() => inner.ping()),
  };
});
const gateOf = (usedToday?: () => Promise<{ queries: number; tokens: number }>) =>
  steadyQuotaGate(redis, { clockMs: () => clock, ...(usedToday && { usedToday }) });
const passes = async (gate: QuotaGate, times: number) => {
  let passed = 0;
  for (let time = 0; time < times; time += 1) passed += Number((await gate.reserve(requestOf({}))).allowed);
  return passed;
};

describe('steadyQuotaGate()', () => {
  it('is Redis while Redis answers', async () => {
    const gate = gateOf();
    expect([await passes(gate, 12), gate.mode]).toEqual([10, 'redis']);
  });

  it('lets the twin decide while Redis is away, and says so', async () => {
    const gate = gateOf();
    away = true;
    expect([await passes(gate, 12), gate.mode]).toEqual([10, 'in-process']);
  });

  it('has one request a second wait for a tenth of one, and no other, while Redis hangs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const gate = gateOf();
    away = true;
    await passes(gate, 1);
    redis.ping = () => new Promise(() => undefined);
    clock = 1_000;
    const first = passes(gate, 1);
    expect(await passes(gate, 3)).toBe(3);
    await vi.advanceTimersByTimeAsync(100);
    expect(await first).toBe(1);
    vi.useRealTimers();
  });

  it('leaves Redis alone for a second after it failed', async () => {
    const gate = gateOf();
    away = true;
    await passes(gate, 5);
    expect(asked).toBe(1);
    clock = 1_000;
    await passes(gate, 1);
    expect(asked).toBe(2);
  });

  it('begins again from the truth when Redis is back', async () => {
    let stored = 0;
    const gate = gateOf(async () => ({ queries: stored, tokens: 0 }));
    away = true;
    expect(await passes(gate, 4)).toBe(4);
    [away, clock, stored] = [false, 1_000, 4];
    await gate.reserve(requestOf({}));
    expect(gate.mode).toBe('redis');
  });

  it('begins the twin from the truth too', async () => {
    const gate = gateOf(async () => ({ queries: 8, tokens: 0 }));
    away = true;
    expect(await passes(gate, 12)).toBe(2);
  });

  it('does not take a malformed request for an outage', async () => {
    const gate = gateOf();
    await expect(gate.reserve(requestOf({ queries: -1 }))).rejects.toThrow(InvalidInputError);
    expect(gate.mode).toBe('redis');
  });

  it('says that Redis is away when it is pinged', async () => {
    away = true;
    await expect(gateOf().ping()).rejects.toThrow('ECONNREFUSED');
  });

  it('refunds to whichever counts', async () => {
    const gate = gateOf();
    away = true;
    await gate.reserve(requestOf({ tokens: 100 }));
    await gate.refund({ tenantId: 'acme-corp', amounts: { queries: 0, tokens: 60 }, now: noon });
    const { windows } = await gate.reserve(requestOf({ queries: 0 }));
    expect(windows.map(({ used }) => used)).toEqual([1, 40]);
  });
});
