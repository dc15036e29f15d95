import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { openPrivateRedis } from '../support/private-redis.js';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await openPrivateRedis();
});
afterAll(() => redis.close());
beforeEach(() => redis.client.flushall());

const request = {
  tenantId: 'acme-corp',
  amounts: { queries: 1, tokens: 100 },
  limits: { queries: 10, tokens: 1_000 },
  now: new Date('2025-11-15T12:00:00Z'),
};
const DAY = 'meterbridge:quota:{acme-corp}:2025-11-15';
const kept = () => redis.client.hgetall(DAY);

describe('redisQuotaGate()', () => {
  it('keeps the counts of a tenant’s day together', async () => {
    await redisQuotaGate(redis.client).reserve(request);
    expect(await redis.client.keys('*')).toEqual([DAY]);
    expect(await kept()).toEqual({ queries: '1', tokens: '100' });
  });

  it('lets them go a day after their day, and does not put that off', async () => {
    const gate = redisQuotaGate(redis.client);
    await gate.reserve(request);
    const end = await redis.client.pexpiretime(DAY);
    await gate.reserve({ ...request, now: new Date('2025-11-15T00:00:00Z') });
    expect(await redis.client.pexpiretime(DAY)).toBe(end);
    const left = await redis.client.pttl(DAY);
    expect(left).toBeGreaterThan(35.9 * 3_600_000);
    expect(left).toBeLessThanOrEqual(36 * 3_600_000);
  });

  it('counts nothing for a refusal', async () => {
    await redisQuotaGate(redis.client).reserve({ ...request, limits: { queries: 0, tokens: 0 } });
    expect(await kept()).toEqual({ queries: '0', tokens: '0' });
  });

  it('makes no counter by a refund', async () => {
    await redisQuotaGate(redis.client).refund(request);
    expect(await redis.client.keys('*')).toEqual([]);
  });

  it('goes on after Redis forgot its scripts', async () => {
    const gate = redisQuotaGate(redis.client);
    await gate.reserve(request);
    await redis.client.script('FLUSH');
    expect((await gate.reserve(request)).windows[0]?.used).toBe(2);
    await redis.client.script('FLUSH');
    await gate.refund(request);
    expect(await kept()).toEqual({ queries: '1', tokens: '100' });
  });

  it('may be made twice on one client', async () => {
    const gates = [redisQuotaGate(redis.client), redisQuotaGate(redis.client)];
    for (const gate of gates) await gate.reserve(request);
    expect((await kept()).queries).toBe('2');
  });

  it('counts large numbers exactly', async () => {
    const most = {
      ...request,
      amounts: { queries: 1, tokens: 2 ** 52 },
      limits: { queries: 10, tokens: 2 ** 52 },
    };
    expect((await redisQuotaGate(redis.client).reserve(most)).windows[1]?.used).toBe(2 ** 52);
    expect((await kept()).tokens).toBe('4503599627370496');
  });

  it('lets exactly 1,000 of 1,500 through, asked at once by four processes', async () => {
    const [port = '', password = ''] = [redis.client.options.port, redis.client.options.password].map(String);
    const script = fileURLToPath(new URL('../support/quota-worker.mjs', import.meta.url));
    const workers = [1, 2, 3, 4].map(() => {
      const child = spawn(process.execPath, [script, port, password, '375'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
    });
    const readLines = () =>
      Promise.all(workers.map(async ({ lines }) => (await lines.next()).value as string));
    expect(await readLines()).toEqual(['ready', 'ready', 'ready', 'ready']);
    for (const { child } of workers) child.stdin.write('go\n');
    const passed = (await readLines()).map(Number);
    expect(passed.reduce((sum, count) => sum + count, 0)).toBe(1_000);
    expect(await redis.client.hget('meterbridge:quota:{crowd}:2025-11-15', 'queries')).toBe('1000');
    await Promise.all(workers.map(({ child }) => child.exitCode ?? once(child, 'exit')));
  });
});
