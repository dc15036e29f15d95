/**
 * The gate in front of every query: one question, one answer, counted in the same step. Redis
 * is the gate of a service; the in-process twin serves one process and keeps no state.
 */

import { z } from 'zod';
import { parseInput, TENANT_ID, tenantId, wholeNumber } from '../input.js';
import { DAY_MS, dayOf } from '../period.js';
import { type DailyLimits, QUOTA_MARKS } from '../plans.js';

/** What is limited; each kind has a window of one UTC day. */
export const QUOTA_KINDS = ['queries', 'tokens'] as const;
export type QuotaKind = (typeof QUOTA_KINDS)[number];

export interface QuotaRequest {
  readonly tenantId: string;
  /** What the request is about to use. */
  readonly amounts: QuotaCounts;
  readonly limits: DailyLimits;
  readonly now: Date;
}

/** One window after the decision. */
export interface QuotaState {
  readonly kind: QuotaKind;
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  /** When the window ends and the count starts anew. */
  readonly resetsAt: Date;
  /** `warning` from 80 % used, `alert` from 90 %, `block` at 100 %. */
  readonly mark: 'ok' | 'warning' | 'alert' | 'block';
}

export interface QuotaDecision {
  readonly allowed: boolean;
  /** The first window that had no room, when refused. */
  readonly refusedBy?: QuotaKind;
  readonly windows: readonly QuotaState[];
}

/**
 * What a tenant has used of the day so far, from ClickHouse: asked once for each tenant and day, so
 * that counters which are new or were wiped begin where the truth stands.
 */
export type UsedToday = (tenantId: string, now: Date) => Promise<QuotaCounts>;

export interface QuotaGateOptions {
  /** Where counts begin that are not there. @default at 0 */
  readonly usedToday?: UsedToday;
}

export interface QuotaGate {
  readonly mode: 'redis' | 'in-process';
  /**
   * Asks for all windows at once: either every count grows or none does.
   *
   * @throws InvalidInputError for a malformed tenant id, amount or limit.
   */
  reserve(request: QuotaRequest): Promise<QuotaDecision>;
  /** Gives back what a reserved request did not use. */
  refund(request: Omit<QuotaRequest, 'limits'>): Promise<void>;
  /** Forgets a tenant's counts of the day. */
  forget(tenant: { tenantId: string; now: Date }): Promise<void>;
  /** Rejects when the counts cannot be reached. */
  ping(): Promise<void>;
}

/** A tenant's counts of one UTC day: where they are kept and until when. */
export interface QuotaDay {
  readonly key: string;
  readonly resetsAt: Date;
  /** Counts outlive their day by another, for whoever reads yesterday's. */
  readonly keepMs: number;
}

/** Counts by kind. */
export type QuotaCounts = Readonly<Record<QuotaKind, number>>;

export const NOTHING_USED: QuotaCounts = { queries: 0, tokens: 0 };

const counts = z.strictObject({ queries: wholeNumber, tokens: wholeNumber });
const quotaRequest = z.object({
  tenantId,
  amounts: counts,
  limits: counts.optional(),
  now: z.date('must be a valid Date'),
});

/**
 * The day of a request, after checking it.
 *
 * @throws InvalidInputError
 */
export function quotaDayOf(request: Omit<QuotaRequest, 'limits'> & { limits?: DailyLimits }): QuotaDay {
  // Looked at directly, the usual request takes a tenth of the time; the schema judges all others.
  if (!isUsual(request)) parseInput(quotaRequest, 'quota request', request);
  const at = request.now.getTime();
  const day = dayAt(at);
  return {
    // The braces keep what belongs to a tenant on one node of a Redis cluster.
    key: `meterbridge:quota:{${request.tenantId}}:${day.name}`,
    resetsAt: day.end,
    keepMs: day.end.getTime() - at + DAY_MS,
  };
}

/** Whether the schema would certainly take it. */
function isUsual({
  tenantId,
  amounts,
  limits,
  now,
}: Omit<QuotaRequest, 'limits'> & { limits?: DailyLimits }) {
  return (
    typeof tenantId === 'string' &&
    TENANT_ID.test(tenantId) &&
    areCounts(amounts) &&
    (limits === undefined || areCounts(limits)) &&
    now instanceof Date &&
    !Number.isNaN(now.getTime())
  );
}

function areCounts(given: QuotaCounts): boolean {
  if (typeof given !== 'object' || given === null) return false;
  const { queries, tokens, ...more } = given;
  return isCount(queries) && isCount(tokens) && Object.keys(more).length === 0;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;

/** The last day asked for: as a rule the next request is about the same. */
let last = { start: Number.NaN, name: '', end: new Date(Number.NaN) };

function dayAt(at: number): { name: string; end: Date } {
  const start = Math.floor(at / DAY_MS) * DAY_MS;
  if (start !== last.start) last = { start, name: dayOf(new Date(at)), end: new Date(start + DAY_MS) };
  return last;
}

/** Words a decision from the counts after it. */
export function decisionOf(
  { limits }: Pick<QuotaRequest, 'limits'>,
  { resetsAt }: QuotaDay,
  used: QuotaCounts,
  refusedBy: QuotaKind | undefined,
): QuotaDecision {
  const windows = QUOTA_KINDS.map((kind): QuotaState => {
    const [limit, count] = [limits[kind], used[kind]];
    const remaining = Math.max(0, limit - count);
    return { kind, limit, used: count, remaining, resetsAt, mark: markOf(count, limit) };
  });
  return refusedBy ? { allowed: false, refusedBy, windows } : { allowed: true, windows };
}

function markOf(used: number, limit: number): QuotaState['mark'] {
  const reaches = (percent: number) => used * 100 >= limit * percent;
  if (reaches(QUOTA_MARKS.block)) return 'block';
  if (reaches(QUOTA_MARKS.alert)) return 'alert';
  return reaches(QUOTA_MARKS.warning) ? 'warning' : 'ok';
}
