/** Who is in the sample month, and how much each used. */
import { DAY_MS, type Month, type Period } from '../period.js';
import type { PlanName } from '../plans.js';
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
const SPECIAL_QUERIES = { 'delta-labs': 12_000, 'foxtrot-io': 2_400 };

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
  const gpt4o = { model: 'gpt-4o', span: month };

  const course = COURSE_TENANTS.map(({ plan, ...usage }) => ({
    ...usage,
    ...gpt4o,
    terms: [terms(usage.tenantId, plan)],
  }));
  const special = [
    {
      ...withTokens('delta-labs', SPECIAL_QUERIES['delta-labs']),
      ...gpt4o,
      terms: [terms('delta-labs', 'starter'), terms('delta-labs', 'pro', middle)],
    },
    {
      ...withTokens('echo-trial', 0),
      ...gpt4o,
      terms: [
        {
          ...terms('echo-trial', 'starter', trialStart),
          trialEndsAt: new Date(trialStart.getTime() + 14 * DAY_MS),
        },
      ],
    },
    // All in one day, beyond the 2,000 of its plan: use from before there was a gate.
    {
      ...withTokens('foxtrot-io', SPECIAL_QUERIES['foxtrot-io']),
      ...gpt4o,
      span: lastDay,
      terms: [terms('foxtrot-io', 'starter')],
    },
  ];
  const fixed = [...course, ...special].reduce((sum, { queries }) => sum + queries, 0);
  const shares = shareOut(Math.floor((events - fixed) * 0.83), OTHERS);
  return [
    ...course,
    ...special,
    {
      ...withTokens('golf-global', events - fixed - sum(shares)),
      ...gpt4o,
      terms: [terms('golf-global', 'enterprise')],
    },
    ...shares.map((queries, index) => {
      const tenantId = `tenant-${String(index + 1).padStart(3, '0')}`;
      return {
        ...withTokens(tenantId, queries),
        model: index % 2 ? 'gpt-4o-mini' : 'gpt-4o',
        span: month,
        terms: [terms(tenantId, index % 3 ? 'pro' : 'starter')],
      };
    }),
  ];
}

/** Some tokens for each query. */
function withTokens(tenantId: string, queries: number) {
  return {
    tenantId,
    queries,
    tokensInput: queries * 180 + (queries % 97),
    tokensOutput: queries * 45 + (queries % 31),
  };
}

/** Splits a number into parts that grow from the first to the last. */
function shareOut(total: number, parts: number): number[] {
  const weight = (parts * (parts + 1)) / 2;
  return Array.from({ length: parts }, (_, index) => Math.floor((total * (index + 1)) / weight));
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
