/** Amounts of prices, and their tiers. */
import { z } from 'zod';
import { invalid } from '../http/api-error.js';
import { decimal, integer, MOST_CENTS } from '../http/parameters.js';
import { formatDecimal, parseDecimal } from '../money/decimal.js';
import type { TierRow } from '../state/rows.js';

export const amount = integer(0, MOST_CENTS);
export const positive = decimal
  .refine((value) => !value.startsWith('-'), 'must not be negative')
  .refine((value) => Number(value) <= MOST_CENTS, `must be at most ${MOST_CENTS}`);

export const tier = z.strictObject({
  up_to: z.union([z.literal('inf'), integer(1, Number.MAX_SAFE_INTEGER)]),
  unit_amount: amount.optional(),
  unit_amount_decimal: positive.optional(),
});

/** @throws ApiError 400 unless the tiers rise to an open end and each has an amount. */
export function tiersOf(tiers: readonly z.output<typeof tier>[]): TierRow['tiers'] {
  return tiers.map((given, index) => {
    const { up_to: end } = given;
    const before = tiers[index - 1]?.up_to ?? 0;
    const rising = end === 'inf' || (before !== 'inf' && end > before);
    if (!rising || (end === 'inf') !== (index === tiers.length - 1)) {
      throw invalid('Tiers must rise, and only the last one ends at `inf`.', `tiers[${index}][up_to]`);
    }
    const unit = oneOf(given.unit_amount, given.unit_amount_decimal, `tiers[${index}][unit_amount]`);
    if (!unit) throw invalid('Each tier needs an amount per unit.', `tiers[${index}]`);
    return { up_to: end === 'inf' ? null : end, unit };
  });
}

/** An amount that is given as cents or as a decimal of cents; empty when it is not given. */
export function oneOf(whole: number | undefined, exact: string | undefined, param: string): string {
  if (whole !== undefined && exact !== undefined) {
    throw invalid(`You may only specify one of these parameters: ${param}, ${param}_decimal.`, param);
  }
  return whole !== undefined ? String(whole) : exact === undefined ? '' : formatDecimal(parseDecimal(exact));
}
