import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcessQuotaGate } from '../../src/quotas/in-process-quota-gate.js';
import type { QuotaGate } from '../../src/quotas/quota-gate.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { openPrivateRedis } from '../support/private-redis.js';
import { noon, requestOf } from '../support/quota-request.js';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await openPrivateRedis();
});
afterAll(() => redis.close());

describe('both gates', () => {
  const amount = fc.nat({ max: 6 });
  const call = fc.record({
    act: fc.constantFrom('reserve', 'reserve', 'reserve', 'refund', 'forget'),
    tenantId: fc.constantFrom('a', 'b'),
    queries: amount,
    tokens: amount,
    limits: fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 })),
    now: fc.constantFrom(noon, new Date('2025-11-15T23:59:59.999Z'), new Date('2025-11-16T00:00:00Z')),
  });
  type Call = typeof call extends fc.Arbitrary<infer Value> ? Value : never;

  const decisionsOf = async (gate: QuotaGate, calls: readonly Call[]) => {
    const decisions: unknown[] = [];
    for (const { act, ...some } of calls) {
      if (act === 'reserve') decisions.push(await gate.reserve(requestOf(some)));
      else if (act === 'refund') await gate.refund(requestOf(some));
      else await gate.forget(some);
    }
    return decisions;
  };

  it('decide alike, whatever is asked in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
        await redis.client.flushall();
        expect(await decisionsOf(redisQuotaGate(redis.client), calls)).toEqual(
          await decisionsOf(inProcessQuotaGate(), calls),
        );
      }),
    );
  });
});
