import { describe, expect, it } from 'vitest';
import { tierLines } from '../src/invoices/tiers.js';
import { formatCents, formatUsd } from '../src/money.js';
import { PLANS, QUOTA_MARKS, TRIAL_DAYS } from '../src/plans.js';

describe('PLANS', () => {
  it.each([
    ['starter', '29.00', 10_000, '0.00100000', 2_000],
    ['pro', '99.00', 100_000, '0.00080000', 20_000],
    ['enterprise', '499.00', 1_000_000, '0.00050000', 200_000],
  ] as const)('has the course’s %s', (name, base, included, overage, hardQuota) => {
    const { baseCents, includedQueries, overagePerQuery, dailyLimits } = PLANS[name];
    expect([
      formatCents(baseCents),
      includedQueries,
      formatUsd(overagePerQuery),
      dailyLimits.queries,
    ]).toEqual([base, included, overage, hardQuota]);
  });

  it('has the three, each under its own name', () => {
    expect(Object.entries(PLANS).map(([key, { name }]) => [key, name])).toEqual([
      ['starter', 'starter'],
      ['pro', 'pro'],
      ['enterprise', 'enterprise'],
    ]);
  });

  it('leaves room for overage: a month of hard quotas is more than what is included', () => {
    const months = Object.values(PLANS).map(
      ({ dailyLimits, includedQueries }) => 28 * dailyLimits.queries > includedQueries,
    );
    expect(months).toEqual([true, true, true]);
  });

  it('makes 125,000 queries on pro $119.00', () => {
    const { baseCents, includedQueries, overagePerQuery } = PLANS.pro;
    const tiers = [
      { upTo: includedQueries, unitPrice: 0n },
      { upTo: null, unitPrice: overagePerQuery },
    ];
    const usage = tierLines(tiers, 125_000).reduce((sum, { amount }) => sum + amount, 0n);
    expect(formatCents(baseCents + usage)).toBe('119.00');
  });
});

it('marks a quota at 80, 90 and 100 percent', () => {
  expect(QUOTA_MARKS).toEqual({ warning: 80, alert: 90, block: 100 });
});

it('tries 14 days', () => {
  expect(TRIAL_DAYS).toBe(14);
});
