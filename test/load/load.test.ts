import { describe, expect, it } from 'vitest';
import { CHECKS } from './checks.js';
import { runLoad } from './load.js';

describe('a few seconds of load, with a worker and Redis killed', () => {
  it('leave every request counted once, every quota kept and every bill right', async () => {
    const options = { seed: 20_251_115, seconds: 6, rate: 100, tenants: 6, freeSeconds: 1, signups: 0 };
    const { run } = await runLoad(options);
    const problems = Object.entries(CHECKS).map(([line, check]) => [line, check(run)]);
    expect(problems).toEqual(Object.keys(CHECKS).map((line) => [line, []]));
    const statuses = new Set(run.answers.map(({ status }) => status));
    expect([statuses.has(200), statuses.has(429)]).toEqual([true, true]);
  }, 120_000);
});
