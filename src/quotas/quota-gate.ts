/**
 * The gate in front of every query: one question, one answer, counted in the same step. Redis
 * is the gate of a service; the in-process twin serves one process and keeps no state.
 */

import { z } from 'zod';
import { parseInput, tenantId, wholeNumber } from '../input.js';
import { DAY_MS, dayOf, parseDay } from '../period.js';
import { type DailyLimits, QUOTA_MARKS } from '../plans.js';

/** What is limited; each kind has a window of one UTC day. */
export const QUOTA_KINDS = ['queries', 'tokens'] as const;
export type QuotaKind = (typeof QUOTA_KINDS)[number];

export interface QuotaRequest {
  readonly tenantId: string;
  /** What the request is about to use. */
  readonly amounts: Readonly<Record<QuotaKind, number>>;
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

/** One counter: where it is kept and until when. */
export interface QuotaWindow {
  readonly kind: QuotaKind;
  readonly key: string;
  readonly resetsAt: Date;
  /** Counters outlive their window by a day, for whoever reads yesterday's. */
  readonly keepMs: number;
}

const amounts = z.strictObject({ queries: wholeNumber, tokens: wholeNumber });
const request = z.object({
  tenantId,
  amounts,
  now: z.date('must be a valid Date'),
});

const limited = z.object({ limits: amounts });

/**
 * The windows of a request that has limits, after checking it.
 *
 * @throws InvalidInputError
 */
export function limitedWindowsOf(given: QuotaRequest): QuotaWindow[] {
  parseInput(limited, 'quota request', given);
  return windowsOf(given);
}

/**
 * The windows of a request, after checking it.
 *
 * @throws InvalidInputError
 */
export function windowsOf(given: QuotaRequest | Omit<QuotaRequest, 'limits'>): QuotaWindow[] {
  const { tenantId: tenant, now } = parseInput(request, 'quota request', given);
  const day = dayOf(now);
  const resetsAt = parseDay(day).end;
  return QUOTA_KINDS.map((kind) => ({
    kind,
    // The braces keep a tenant's counters on one node of a Redis cluster, as one script needs them.
    key: `meterbridge:quota:{${tenant}}:${kind}:${day}`,
    resetsAt,
    keepMs: resetsAt.getTime() - now.getTime() + DAY_MS,
  }));
}

/** Words a decision from the counts after it. */
export function decisionOf(
  { limits }: Pick<QuotaRequest, 'limits'>,
  windows: readonly QuotaWindow[],
  { used, refusedBy }: { used: readonly number[]; refusedBy: QuotaKind | undefined },
): QuotaDecision {
  const states = windows.map(({ kind, resetsAt }, index): QuotaState => {
    const limit = limits[kind];
    const count = used[index] ?? 0;
    return {
      kind,
      limit,
      used: count,
      remaining: Math.max(0, limit - count),
      resetsAt,
      mark: markOf(count, limit),
    };
  });
  return refusedBy ? { allowed: false, refusedBy, windows: states } : { allowed: true, windows: states };
}

function markOf(used: number, limit: number): QuotaState['mark'] {
  const reaches = (percent: number) => used * 100 >= limit * percent;
  if (reaches(QUOTA_MARKS.block)) return 'block';
  if (reaches(QUOTA_MARKS.alert)) return 'alert';
  return reaches(QUOTA_MARKS.warning) ? 'warning' : 'ok';
}
