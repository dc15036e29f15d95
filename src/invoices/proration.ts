/** The part of a monthly fee that falls on the rest of a period, as Stripe splits it: to the second. */
import type { Cents } from '../money.js';
import { dayOf, type Period } from '../period.js';

/**
 * The share of a fee from an instant to the period's end.
 *
 * Rounded to the nearest cent, an exact half toward minus infinity: the one rule that fits every
 * amount recorded from Stripe, which publishes none. A credit is the proration of the negative fee.
 *
 * @throws RangeError when the instant lies outside the period, or a date is invalid.
 * @example
 * const from = new Date('2025-11-16T00:00:00Z');
 * prorate(1000n, { from, period: parseMonth('2025-11') }) // 500n
 */
export function prorate(fee: Cents, { from, period }: { from: Date; period: Period }): Cents {
  for (const instant of [period.start, from, period.end]) dayOf(instant);
  const [start, at, end] = [period.start, from, period.end].map((instant) =>
    BigInt(Math.floor(instant.getTime() / 1_000)),
  ) as [bigint, bigint, bigint];
  if (at < start || at > end || start === end) {
    throw new RangeError(`Cannot prorate: ${from.toISOString()} lies outside the period`);
  }
  return ceilDivide(2n * fee * (end - at) - (end - start), 2n * (end - start));
}

/** ceil(x − 1/2) is the nearest integer with halves going down. */
function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}
