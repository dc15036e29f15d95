/** What a quantity costs: one line for a plain price; for tiers one for each that is reached, and one for each flat fee. */
import { type Cents, divideHalfAway } from '../../money.js';
import { ONE, parseDecimal } from './decimal.js';

export interface PriceTier {
  /** Last unit of the tier, included; null for the last tier. */
  readonly up_to: number | null;
  /** Cents as decimals; empty where there is none. */
  readonly unit: string;
  readonly flat: string;
}

export interface PriceTerms {
  readonly unit_amount_decimal: string | null;
  readonly tiers_mode: string | null;
}

export interface PriceLine {
  /** In units of 1e-12, since usage may be a decimal. */
  readonly quantity: bigint;
  /** Cents of a unit in units of 1e-12, or of the flat fee. */
  readonly unit: bigint;
  readonly flat: boolean;
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
export function priceLines(price: PriceTerms, tiers: readonly PriceTier[], quantity: bigint): PriceLine[] {
  const units = quantity < 0n ? 0n : quantity;
  if (!price.tiers_mode) return [line(units, price.unit_amount_decimal ?? '0', null)];
  const reached = tiers
    .map((tier, index) => ({ ...tier, number: index + 1, start: BigInt(tiers[index - 1]?.up_to ?? 0) * ONE }))
    .filter(({ start }, index) => index === 0 || start < units);
  const charged = price.tiers_mode === 'volume' ? reached.slice(-1) : reached;
  return charged.flatMap(({ up_to, unit, flat, number, start }) => {
    const end = up_to === null ? units : least(units, BigInt(up_to) * ONE);
    const inTier = price.tiers_mode === 'volume' ? units : end - start;
    return [line(inTier, unit || '0', number), ...(flat ? [flatLine(flat, number)] : [])];
  });
}

/** Rounds a line once, half away from zero [our choice; Stripe publishes none]. */
export function lineCents(exact: bigint): Cents {
  return divideHalfAway(exact, EXACT_CENT);
}

function line(quantity: bigint, unit: string, tier: number | null): PriceLine {
  const each = parseDecimal(unit);
  return { quantity, unit: each, flat: false, tier, exact: quantity * each };
}

function flatLine(flat: string, tier: number): PriceLine {
  const fee = parseDecimal(flat);
  return { quantity: ONE, unit: fee, flat: true, tier, exact: ONE * fee };
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
