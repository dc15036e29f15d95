/**
 * The dunning ladder: what an unpaid invoice brings, and when. A pure function of time, so that a
 * restart, a missed day or a message that comes twice leads to the same steps, each once.
 */
import { DAY_MS } from '../period.js';

/** What is done to a tenant that does not pay, in the course's words. */
export const DUNNING_ACTIONS = [
  'reminder_sent',
  'warning_sent',
  'rate_limit_reduced',
  'service_suspended',
] as const;
export type DunningAction = (typeof DUNNING_ACTIONS)[number];

export interface DunningStep {
  /** Day 1 begins at the first failure, day 2 a day of 24 hours later. */
  readonly day: number;
  readonly action: DunningAction;
}

/** The steps in order of their days. */
export type DunningPolicy = readonly DunningStep[];

/** Of the course: a reminder, a warning, half the limits, and out on day 8. */
export const DUNNING_POLICY: DunningPolicy = [
  { day: 1, action: 'reminder_sent' },
  { day: 4, action: 'warning_sent' },
  { day: 7, action: 'rate_limit_reduced' },
  { day: 8, action: 'service_suspended' },
];

/** One invoice that is not paid. */
export interface Arrears {
  /** When its first charge failed. */
  readonly firstFailure: Date;
  /** When it was paid, if it was: before any failure, or at any time later. */
  readonly paidAt?: Date | undefined;
}

/**
 * The day of the ladder at an instant: 1 from the first failure on, 0 before it.
 *
 * @example dunningDay(new Date('2025-12-01T01:00:00Z'), new Date('2025-12-04T01:00:00Z')) // 4
 */
export function dunningDay(firstFailure: Date, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - firstFailure.getTime()) / DAY_MS) + 1);
}

/**
 * Every step that is due by `now`, in order: what has been done already is for the caller to know.
 * A paid invoice has none.
 *
 * @example
 * const firstFailure = new Date('2025-12-01T01:00:00Z');
 * dueSteps(DUNNING_POLICY, { firstFailure }, new Date('2025-12-05T00:00:00Z')).map(({ action }) => action)
 * // ['reminder_sent', 'warning_sent']
 */
export function dueSteps(policy: DunningPolicy, { firstFailure, paidAt }: Arrears, now: Date): DunningStep[] {
  if (paidAt && paidAt <= now) return [];
  const today = dunningDay(firstFailure, now);
  return policy.filter(({ day }) => day <= today);
}

/**
 * When the next step is due, or undefined after the last.
 *
 * @example nextStepAt(DUNNING_POLICY, { firstFailure }, now)?.toISOString()
 */
export function nextStepAt(
  policy: DunningPolicy,
  { firstFailure, paidAt }: Arrears,
  now: Date,
): Date | undefined {
  if (paidAt && paidAt <= now) return undefined;
  const next = policy.find(({ day }) => day > dunningDay(firstFailure, now));
  return next && new Date(firstFailure.getTime() + (next.day - 1) * DAY_MS);
}
