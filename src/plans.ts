/**
 * The plans and their limits: the one home of both. The hard quota is a safety cap against
 * runaway cost, never the included amount, or no tenant could ever have overage.
 */
import { type Cents, parseUsd, type Usd } from './money.js';

export type PlanName = 'starter' | 'pro' | 'enterprise';

/** Most that a tenant may use in one UTC day. */
export interface DailyLimits {
  readonly queries: number;
  readonly tokens: number;
}

export interface Plan {
  readonly name: PlanName;
  /** Monthly base fee, billed in advance. */
  readonly baseCents: Cents;
  /** Queries of a month that the base fee covers. */
  readonly includedQueries: number;
  /** Price of each query beyond the included ones. */
  readonly overagePerQuery: Usd;
  readonly dailyLimits: DailyLimits;
}

export const PLANS: Readonly<Record<PlanName, Plan>> = {
  starter: {
    name: 'starter',
    baseCents: 2_900n,
    includedQueries: 10_000,
    overagePerQuery: parseUsd('0.001'),
    dailyLimits: { queries: 2_000, tokens: 2_000_000 },
  },
  pro: {
    name: 'pro',
    baseCents: 9_900n,
    includedQueries: 100_000,
    overagePerQuery: parseUsd('0.0008'),
    dailyLimits: { queries: 20_000, tokens: 20_000_000 },
  },
  enterprise: {
    name: 'enterprise',
    baseCents: 49_900n,
    includedQueries: 1_000_000,
    overagePerQuery: parseUsd('0.0005'),
    dailyLimits: { queries: 200_000, tokens: 200_000_000 },
  },
};

/** What is left of the limits while a payment is overdue, in percent. */
export const REDUCED_LIMITS_PERCENT = 50;

/**
 * A plan's limits, reduced while a payment is overdue.
 *
 * @example limitsOf('starter', { reduced: true }).queries // 1000
 */
export function limitsOf(plan: PlanName, { reduced = false }: { reduced?: boolean } = {}): DailyLimits {
  const { queries, tokens } = PLANS[plan].dailyLimits;
  const share = (limit: number) => Math.floor((limit * (reduced ? REDUCED_LIMITS_PERCENT : 100)) / 100);
  return { queries: share(queries), tokens: share(tokens) };
}

/** Shares of a quota, in percent: the tenant is warned, alerted, and refused. */
export const QUOTA_MARKS = { warning: 80, alert: 90, block: 100 } as const;

/** Length of a trial, in days. */
export const TRIAL_DAYS = 14;
