/** What a quantity costs: one line for a plain price; for tiers one for each that is reached. */
import { type Cents, divideHalfAway } from '../../money.js';
import type { Price } from '../state/tables.js';
import { ONE, parseDecimal } from './decimal.js';

type Terms = Pick<Price, 'tiers_mode' | 'unit_amount_decimal'>;

export interface PriceTier {
  /** Last unit of the tier, included; null for the last tier. */
  readonly up_to: number | null;
  /** Cents as decimals. */
  readonly unit: string;
}

export interface PriceLine {
  /** In units of 1e-12, since usage may be a decimal. */
  readonly quantity: bigint;
  /** Cents of a unit in units of 1e-12. */
  readonly unit: bigint;
  /** Counted from 1; null for a plain price. */
  readonly tier: number | null;
  /** Cents in units of 1e-24, not rounded. */
  readonly exact: bigint;
}

/** One cent, in the units of an exact amount. */
export const EXACT_CENT = ONE * ONE;

/**
 * @param quantity in units of 1e-12; below 0 it counts as 0
 * @example priceLines({ unit_amount_decimal: '0.2', tiers_mode: null }, [], 3n * ONE)[0].exact // 0.6 cents
 */
export function priceLines(price: Terms, tiers: readonly PriceTier[], quantity: bigint): PriceLine[] {
  const units = quantity < 0n ? 0n : quantity;
  if (!price.tiers_mode) return [line(units, price.unit_amount_decimal ?? '0', null)];
  const reached = tiers
    .map((tier, index) => ({ ...tier, number: index + 1, start: BigInt(tiers[index - 1]?.up_to ?? 0) * ONE }))
    .filter(({ start }, index) => index === 0 || start < units);
  const charged = price.tiers_mode === 'volume' ? reached.slice(-1) : reached;
  return charged.map(({ up_to, unit, number, start }) => {
    const end = up_to === null ? units : BigInt(up_to) * ONE;
    const inTier = price.tiers_mode === 'volume' ? units : (end < units ? end : units) - start;
    return line(inTier, unit, number);
  });
}

/** Rounds a line once, half away from zero [our choice; Stripe publishes none]. */
export function lineCents(exact: bigint): Cents {
  return divideHalfAway(exact, EXACT_CENT);
}

function line(quantity: bigint, unit: string, tier: number | null): PriceLine {
  const each = parseDecimal(unit);
  return { quantity, unit: each, tier, exact: quantity * each };
}
