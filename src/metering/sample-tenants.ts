/** Who is in the sample month, and how much each used. */
import { DAY_MS, type Month, type Period } from '../period.js';
import { type PlanName, TRIAL_DAYS } from '../plans.js';
import type { TenantTerms } from './tenants.js';

export interface SampleTenant {
  readonly tenantId: string;
  /** Its plan and state, and each change of them. */
  readonly terms: readonly TenantTerms[];
  readonly queries: number;
  readonly tokensInput: number;
  readonly tokensOutput: number;
  readonly model: string;
  /** The time over which its events spread. */
  readonly span: Period;
}

/** The course's tenants: queries and tokens of its CSV, split so that the stored costs meet its totals. */
const COURSE_TENANTS = [
  { tenantId: 'acme-corp', plan: 'starter', queries: 28_450, tokensInput: 4_846_667, tokensOutput: 353_333 },
  { tenantId: 'beta-inc', plan: 'starter', queries: 8_320, tokensInput: 1_583_333, tokensOutput: 216_667 },
  { tenantId: 'charlie-co', plan: 'pro', queries: 52_100, tokensInput: 9_298_889, tokensOutput: 201_111 },
] as const;

/** Tenants without a story, sharing what is left. */
const OTHERS = 46;

/** Fewest events: every tenant with usage needs some. */
const FEWEST = 105_000;

/**
 * @throws RangeError for a number of events that is fractional or too small.
 * @example sampleTenants({ events: 1_000_000, month: SAMPLE_MONTH }).length // 53
 */
export function sampleTenants({
  events = 1_000_000,
  month,
}: {
  events?: number | undefined;
  month: Month;
}): SampleTenant[] {
  if (!Number.isSafeInteger(events) || events < FEWEST) {
    throw new RangeError(
      `Cannot make the sample month: MB_EVENTS must be a whole number of at least ${FEWEST}, current value is ${events}`,
    );
  }
  const before = new Date(month.start.getTime() - 31 * DAY_MS);
  const lastDay = { start: new Date(month.end.getTime() - DAY_MS), end: month.end };
  const middle = new Date(month.start.getTime() + 15 * DAY_MS);
  const trialStart = new Date(month.end.getTime() - 6 * DAY_MS);
  const terms = (tenantId: string, plan: PlanName, effectiveFrom = before): TenantTerms => ({
    tenantId,
    effectiveFrom,
    plan,
    state: 'active',
  });
  /** Some tokens for each query, gpt-4o all month long, and the same plan since before. */
  const tenant = (
    tenantId: string,
    plan: PlanName,
    queries: number,
    other: Partial<SampleTenant> = {},
  ): SampleTenant => ({
    tenantId,
    queries,
    tokensInput: queries * 180 + (queries % 97),
    tokensOutput: queries * 45 + (queries % 31),
    model: 'gpt-4o',
    span: month,
    terms: [terms(tenantId, plan)],
    ...other,
  });

  const trialEndsAt = new Date(trialStart.getTime() + TRIAL_DAYS * DAY_MS);
  const fixed = [
    ...COURSE_TENANTS.map(({ tenantId, plan, queries, ...tokens }) =>
      tenant(tenantId, plan, queries, tokens),
    ),
    tenant('delta-labs', 'starter', 12_000, {
      terms: [terms('delta-labs', 'starter'), terms('delta-labs', 'pro', middle)],
    }),
    tenant('echo-trial', 'starter', 0, {
      terms: [{ ...terms('echo-trial', 'starter', trialStart), trialEndsAt }],
    }),
    // All in one day, beyond the 2,000 of its plan: use from before there was a gate.
    tenant('foxtrot-io', 'starter', 2_400, { span: lastDay }),
  ];
  const left = events - sum(fixed.map(({ queries }) => queries));
  const shares = shareOut(Math.floor(left * 0.83), OTHERS);
  return [
    ...fixed,
    tenant('golf-global', 'enterprise', left - sum(shares)),
    ...shares.map((queries, index) =>
      tenant(`tenant-${String(index + 1).padStart(3, '0')}`, index % 3 ? 'pro' : 'starter', queries, {
        model: index % 2 ? 'gpt-4o-mini' : 'gpt-4o',
      }),
    ),
  ];
}

/** Splits a number into parts that grow from the first to the last. */
function shareOut(total: number, parts: number): number[] {
  const weight = (parts * (parts + 1)) / 2;
  return Array.from({ length: parts }, (_, index) => Math.floor((total * (index + 1)) / weight));
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
