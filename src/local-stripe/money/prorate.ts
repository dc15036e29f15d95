/** The part of an amount that falls on a part of its period, to the second. */
import type { Cents } from '../../money.js';
import { EXACT_CENT } from './price-lines.js';

/**
 * Rounded to the nearest cent, an exact half toward minus infinity: the one rule that fits all
 * recorded amounts. Stripe publishes none.
 *
 * @param exact cents in units of 1e-24, negative for a credit
 * @param seconds of the part, and of the whole
 * @example prorateExact(1000n * EXACT_CENT, { part: 1n, whole: 2n }) // 500n
 */
export function prorateExact(exact: bigint, { part, whole }: { part: bigint; whole: bigint }): Cents {
  const divisor = 2n * EXACT_CENT * whole;
  const dividend = 2n * exact * part - EXACT_CENT * whole;
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}
