/** The part of an amount that falls on a part of its period, to the second. */
import type { Cents } from '../../money.js';
import { EXACT_CENT } from './price-lines.js';

/** Seconds of a part, and of the whole that it is a part of. */
export interface Share {
  readonly part: number;
  readonly whole: number;
}

/**
 * Rounded to the nearest cent, an exact half toward minus infinity: the one rule that fits all
 * recorded amounts. Stripe publishes none.
 *
 * @param exact cents in units of 1e-24, negative for a credit
 * @example prorateExact(1000n * EXACT_CENT, { part: 1, whole: 2 }) // 500n
 */
export function prorateExact(exact: bigint, { part, whole }: Share): Cents {
  const divisor = 2n * EXACT_CENT * BigInt(whole);
  const dividend = 2n * exact * BigInt(part) - EXACT_CENT * BigInt(whole);
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}
