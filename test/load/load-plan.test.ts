import { describe, expect, it } from 'vitest';
import { planLoad } from './load-plan.js';

const options = { seed: 1, seconds: 60, rate: 200, tenants: 120 };

describe('planLoad()', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planLoad(options)).toEqual(planLoad(options));
    expect(planLoad({ ...options, seed: 2 })).not.toEqual(planLoad(options));
  });

  it('has tenants of all plans, every tenth near its quota, and a quarter of them asks over half', () => {
    const { tenants, requests } = planLoad(options);
    expect(new Set(tenants.map(({ plan }) => plan))).toEqual(new Set(['starter', 'pro', 'enterprise']));
    expect(tenants.filter(({ earlier }) => earlier >= 1_970 && earlier < 2_000)).toHaveLength(12);
    const first = requests.filter(([tenant]) => tenant < 30).length;
    expect(first / requests.length).toBeGreaterThan(0.5);
    expect(new Set(requests.map(([tenant]) => tenant)).size).toBe(120);
  });

  it('has the worker back before Redis is killed', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { workerKilled, workerBack, redisKilled } = planLoad({ ...options, seconds: 1, seed });
      expect(workerKilled).toBeLessThan(workerBack);
      expect(workerBack).toBeLessThan(redisKilled);
    }
  });
});
