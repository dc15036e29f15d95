/** Stripe's decimals: at most twelve places, held as a bigint of 1e-12. */

const PLACES = 12;

/** One, in units of 1e-12. */
export const ONE = 10n ** BigInt(PLACES);

/** @example parseDecimal('0.2') // 200000000000n */
export function parseDecimal(text: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new RangeError(`Cannot read decimal: current value is ${text}`);
  const units = BigInt(whole) * ONE + BigInt(fraction.padEnd(PLACES, '0'));
  return sign === '-' ? -units : units;
}

/** @example formatDecimal(200000000000n) // '0.2' */
export function formatDecimal(value: bigint): string {
  return withPlaces(value, PLACES, 0);
}

/**
 * A price of a unit in dollars, with as many places as it has and at least two.
 *
 * @param unit cents, in units of 1e-12
 * @example dollars(200000000000n) // '$0.002'
 */
export function dollars(unit: bigint): string {
  return `$${withPlaces(unit, PLACES + 2, 2)}`;
}

/** Cents as a number where they are whole, which is when Stripe shows them so. */
export function wholeOf(decimal: string): number | null {
  return /^-?\d+$/.test(decimal) ? Number(decimal) : null;
}

function withPlaces(value: bigint, places: number, least: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '').padEnd(least, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -places)}${fraction && `.${fraction}`}`;
}
