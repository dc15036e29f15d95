/** What a run does, all of it from its seed: the tenants, who asks what in which order, and the kills. */
import { PLANS, type PlanName } from '../../src/plans.js';
import { type Seeded, seeded } from '../support/seeded.js';

export interface LoadOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Requests a second that must be held. */
  readonly rate: number;
  readonly tenants: number;
}

export interface PlannedTenant {
  readonly tenantId: string;
  readonly plan: PlanName;
  /** Queries of its day that it made before the run. */
  readonly earlier: number;
}

export interface LoadPlan {
  readonly tenants: readonly PlannedTenant[];
  /** Number of the tenant, and its question. */
  readonly requests: readonly (readonly [tenant: number, question: string])[];
  /** Moments in ms from the beginning of the run. */
  readonly workerKilled: number;
  readonly workerBack: number;
  readonly redisKilled: number;
  /** How long it is away. */
  readonly redisAwayMs: number;
}

/** Every tenth tenant has this many queries of its day left at most. */
const MOST_LEFT = 30;

/** @example const plan = planLoad({ seed: 1, seconds: 60, rate: 200, tenants: 120 }); */
export function planLoad({ seed, seconds, rate, tenants: count }: LoadOptions): LoadPlan {
  const random = seeded(seed);
  const tenants = Array.from({ length: count }, (_, index) => someTenant(random, index));
  const requests = Array.from({ length: Math.ceil(seconds * rate * 2) }, () => {
    const question = `What is ${random.pick(TOPICS)}, and what does it cost at ${random.below(1_000)} a day?`;
    return [skewed(random, count), question] as const;
  });
  const moment = (from: number, to: number) =>
    (from + random.below(1_000) * 0.001 * (to - from)) * seconds * 1_000;
  return {
    tenants,
    requests,
    workerKilled: moment(0.05, 0.1),
    workerBack: moment(0.1, 0.2),
    redisKilled: moment(0.5, 0.6),
    redisAwayMs: 300 + random.below(1_200),
  };
}

function someTenant(random: Seeded, index: number): PlannedTenant {
  // The starter's quota is the one that a run can reach.
  const isNearItsQuota = index % 10 === 1;
  const plan = isNearItsQuota ? 'starter' : random.pick(['starter', 'starter', 'pro', 'enterprise'] as const);
  const left = 1 + random.below(MOST_LEFT);
  const earlier = isNearItsQuota ? PLANS.starter.dailyLimits.queries - left : 0;
  return { tenantId: `tenant-${String(index + 1).padStart(3, '0')}`, plan, earlier };
}

/** The lower half of the numbers comes three times in four, the lower half of that again, and so on. */
function skewed(random: Seeded, count: number): number {
  let end = count;
  while (end > 1 && random.chance(0.5)) end = Math.ceil(end / 2);
  return random.below(end);
}

const TOPICS = ['a meter', 'a quota', 'a rollup', 'an invoice', 'a proration', 'a webhook', 'dunning'];
