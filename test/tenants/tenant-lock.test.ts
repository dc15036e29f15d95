import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tenantLock } from '../../src/tenants/tenant-lock.js';
import { type OpenRedis, openPrivateRedis } from '../support/private-redis.js';

let redis: OpenRedis;
beforeAll(async () => {
  redis = await openPrivateRedis();
});
afterAll(() => redis.close());
beforeEach(() => redis.client.flushall());

const KEY = 'meterbridge:lock:{acme-corp}';
const tick = () => new Promise(setImmediate);

describe('tenantLock()', () => {
  it('lets one at a time work on a tenant, whoever asks', async () => {
    const locks = [tenantLock(redis.client), tenantLock(redis.another())];
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await tick();
      inside -= 1;
      return 'done';
    };
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, number) => locks[number % 2]?.('acme-corp', work)),
    );
    expect([most, new Set(results)]).toEqual([1, new Set(['done'])]);
    expect(await redis.client.exists(KEY)).toBe(0);
  });

  it('lets others work on other tenants meanwhile', async () => {
    const lock = tenantLock(redis.client);
    const inner = await lock('acme-corp', () => lock('beta-inc', async () => 'both'));
    expect(inner).toBe('both');
  });

  it('is given back when the work fails', async () => {
    const lock = tenantLock(redis.client);
    await expect(lock('acme-corp', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await lock('acme-corp', async () => 'next')).toBe('next');
  });

  it('does not wait for ever, and says for whom', async () => {
    const lock = tenantLock(redis.client, { waitMs: 0 });
    await redis.client.set(KEY, 'of another');
    await expect(lock('acme-corp', async () => 'in')).rejects.toThrow(
      'Cannot work on acme-corp: somebody else has been at it for 0 ms',
    );
    expect(await redis.client.get(KEY)).toBe('of another');
  });

  it('that a killed process left expires; one that is worked under is renewed', async () => {
    await redis.client.set(KEY, 'of a dead one', 'PX', 30);
    const lock = tenantLock(redis.client, { holdMs: 300 });
    await lock('acme-corp', async () => {
      let left = await redis.client.pttl(KEY);
      const isRenewed = async () => {
        const before = left;
        left = await redis.client.pttl(KEY);
        return left > before;
      };
      while (!(await isRenewed())) expect(left).toBeGreaterThan(0);
    });
    expect(await redis.client.exists(KEY)).toBe(0);
  });

  it('does not take away the lock of the next, where it was lost', async () => {
    const lock = tenantLock(redis.client);
    await lock('acme-corp', () => redis.client.set(KEY, 'of the next'));
    expect(await redis.client.get(KEY)).toBe('of the next');
  });
});
