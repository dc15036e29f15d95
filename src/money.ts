/**
 * Exact money. Inside the kit an amount is a bigint that counts units of 1e-8 dollars, the
 * scale of ClickHouse's `Decimal(18, 8)`; at Stripe and on invoices it is whole cents.
 * No float ever holds money: text comes in through `parseUsd` and leaves through `formatUsd`.
 */

/** Units of 1e-8 dollars: `100_000_000n` is one dollar. */
export type Usd = bigint;

/** Whole cents: `4_723n` is $47.23. */
export type Cents = bigint;

/** Units in a dollar, and in a cent. */
export const USD: Usd = 100_000_000n;
export const CENT: Usd = USD / 100n;

const DECIMAL = /^(-?)(\d+)(?:\.(\d{1,8}))?$/;

/**
 * Reads an amount of dollars written as a decimal.
 *
 * @throws RangeError when the text is no decimal or has more than eight places.
 * @example parseUsd('47.229997') // 4722999700n
 */
export function parseUsd(text: string): Usd {
  const [, sign, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) {
    throw new RangeError(
      `Cannot read dollars: need a decimal of at most 8 places, current value is ${JSON.stringify(text)}`,
    );
  }
  const units = BigInt(whole) * USD + BigInt(fraction.padEnd(8, '0'));
  return sign === '-' ? -units : units;
}

/**
 * Writes an amount with all eight places.
 *
 * @example formatUsd(4722999700n) // '47.22999700'
 */
export function formatUsd(amount: Usd): string {
  return withPlaces(amount, 8);
}

/**
 * Writes cents as dollars with two places.
 *
 * @example formatCents(4723n) // '47.23'
 */
export function formatCents(amount: Cents): string {
  return withPlaces(amount, 2);
}

/**
 * Rounds to whole cents, half away from zero: the one rounding of an invoice line or total.
 *
 * @example toCents(parseUsd('47.229997')) // 4723n
 */
export function toCents(amount: Usd): Cents {
  return divideHalfAway(amount, CENT);
}

/**
 * Divides and rounds to the nearest integer, an exact half away from zero.
 *
 * @throws RangeError unless the divisor is positive.
 * @example divideHalfAway(-5n, 2n) // -3n
 */
export function divideHalfAway(dividend: bigint, divisor: bigint): bigint {
  if (divisor <= 0n) {
    throw new RangeError(`Cannot divide: the divisor must be positive, current value is ${divisor}`);
  }
  const doubled = 2n * dividend;
  return (dividend < 0n ? doubled - divisor : doubled + divisor) / (2n * divisor);
}

function withPlaces(amount: bigint, places: number): string {
  if (typeof amount !== 'bigint') {
    throw new TypeError(`Cannot write money: need a bigint, current value is ${String(amount)}`);
  }
  const digits = (amount < 0n ? -amount : amount).toString().padStart(places + 1, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
