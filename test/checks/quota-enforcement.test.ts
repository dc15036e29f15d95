import { describe, expect, it } from 'vitest';
import { checkQuotaEnforcement, type QuotaAnswer } from '../../src/checks/quota-enforcement.js';
import { inProcessQuotaGate } from '../../src/quotas/in-process-quota-gate.js';
import type { QuotaGate } from '../../src/quotas/quota-gate.js';
import { withQuotaTrial } from '../../src/server/quota-trial.js';

const checkOf = (gate: QuotaGate) => withQuotaTrial(gate, checkQuotaEnforcement);
const generous: QuotaGate = {
  ...inProcessQuotaGate(),
  reserve: ({ limits, ...request }) =>
    twin.reserve({ ...request, limits: { ...limits, queries: limits.queries + 1 } }),
};
const twin = inProcessQuotaGate();
/** Looks first, counts when everybody else has looked too. */
function lateCounter(): QuotaGate {
  const gate = inProcessQuotaGate();
  return {
    ...gate,
    async reserve(request) {
      const { windows } = await gate.reserve({ ...request, amounts: { queries: 0, tokens: 0 } });
      if ((windows[0]?.remaining ?? 0) < 1) return gate.reserve(request);
      await new Promise(setImmediate);
      return {
        ...(await gate.reserve({ ...request, limits: { queries: 1_000, tokens: 1e9 } })),
        allowed: true,
      };
    },
  };
}

describe('checkQuotaEnforcement()', () => {
  it('passes with the gate of this process, and says which it was', async () => {
    const { status, evidence, measured } = await checkOf(inProcessQuotaGate());
    expect([status, measured.passedOfBurst]).toEqual(['pass', 10]);
    expect(evidence).toEqual([
      'Request 11: Blocked with 429 (quota exceeded) by the gate inside the process (Redis is off), after 10 that passed',
      'of 40 requests at once exactly 10 passed',
    ]);
  });

  it('passes twice in a row on one gate: a trial leaves nothing behind', async () => {
    const gate = inProcessQuotaGate();
    expect([(await checkOf(gate)).status, (await checkOf(gate)).status]).toEqual(['pass', 'pass']);
  });

  it('is red when the gate lets eleven through', async () => {
    const { status, evidence, advice } = await checkOf(generous);
    expect([status, ...evidence]).toEqual([
      'fail',
      'request 11 got 200, not 429',
      'of 40 requests at once more than 10 passed',
    ]);
    expect(advice).toMatch(/decide and count in one step/);
  });

  it('is red when the gate counts after the fact', async () => {
    const { status, evidence } = await checkOf(lateCounter());
    expect([status, ...evidence]).toEqual(['fail', 'of 40 requests at once more than 10 passed']);
  });

  it('is red when the gate refuses too early', async () => {
    const gate = inProcessQuotaGate();
    const strict: QuotaGate = {
      ...gate,
      reserve: (request) => gate.reserve({ ...request, limits: { ...request.limits, queries: 9 } }),
    };
    expect((await checkOf(strict)).evidence).toEqual([
      'request 10 of 10 got 429, not 200',
      'of 40 requests at once fewer than 10 passed',
    ]);
  });

  it('is red when the gate is broken, and the trial ends all the same', async () => {
    const broken: QuotaGate = {
      ...inProcessQuotaGate(),
      reserve: () => Promise.reject(new RangeError('down')),
    };
    const { status, evidence } = await checkOf(broken);
    expect([status, evidence[0], evidence.at(-2)]).toEqual([
      'fail',
      'request 1 of 10 got 503, not 200',
      'request 11 got 503, not 429',
    ]);
  });

  it.each([null, '0', 'soon'])('is red when the 429 has Retry-After %j', async (retryAfter) => {
    let asked = 0;
    const askOnce = async (): Promise<QuotaAnswer> => {
      asked += 1;
      return asked <= 10 ? { status: 200, retryAfter: null } : { status: 429, retryAfter };
    };
    const askAtOnce = async (count: number) =>
      Array.from({ length: count }, (_, index) => ({ status: index < 10 ? 200 : 429, retryAfter: '1' }));
    const client = { gateMode: 'redis' as const, askOnce, askAtOnce };
    const result = await checkQuotaEnforcement({ mode: 'embedded', client, address: '' });
    expect([result.status, ...result.evidence]).toEqual(['fail', 'the 429 does not say when to try again']);
  });
});

describe('withQuotaTrial()', () => {
  it('leaves no counter of its own on the gate, and no open port', async () => {
    const forgotten: string[] = [];
    const gate = inProcessQuotaGate();
    const noting: QuotaGate = { ...gate, forget: async ({ tenantId }) => void forgotten.push(tenantId) };
    const address = await withQuotaTrial(noting, async (trial) => trial.address);
    expect(forgotten.map((tenantId) => tenantId.replace(/[0-9a-f]{8}/, '*'))).toEqual([
      'quota-check-*-single',
      'quota-check-*-crowd',
    ]);
    await expect(fetch(address)).rejects.toThrow('fetch failed');
  });

  it('closes its port even when the counters cannot be forgotten', async () => {
    let url = '';
    const broken: QuotaGate = {
      ...inProcessQuotaGate(),
      forget: () => Promise.reject(new Error('Redis is gone')),
    };
    const trial = withQuotaTrial(broken, async ({ address }) => {
      url = address;
    });
    await expect(trial).rejects.toThrow('Redis is gone');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });
});
