/**
 * Tiered prices. Graduated: each tier prices the part of the quantity that falls into it.
 * Volume: the tier that the whole quantity reaches prices all of it, which makes a cliff: one
 * unit more can cost less.
 */
import { type Cents, toCents, type Usd } from '../money.js';

export interface Tier {
  /** Last quantity of the tier, included; null for the last tier. */
  readonly upTo: number | null;
  readonly unitPrice: Usd;
}

export interface TierLine {
  /** First and last unit that the line covers. */
  readonly from: number;
  readonly to: number;
  readonly quantity: number;
  readonly unitPrice: Usd;
  /** Rounded once, half away from zero. */
  readonly amount: Cents;
}

/**
 * One line for each tier that the quantity reaches; at least one, so that no usage is a line of 0.
 *
 * @throws RangeError for a fractional or negative quantity, or tiers that do not rise to an open end.
 * @example
 * tierLines([{ upTo: 10_000, unitPrice: 0n }, { upTo: null, unitPrice: parseUsd('0.001') }], 28_450)
 *   .map((line) => line.amount) // [0n, 1845n]
 */
export function tierLines(
  tiers: readonly Tier[],
  quantity: number,
  mode: 'graduated' | 'volume' = 'graduated',
): TierLine[] {
  checkTiers(tiers);
  if (mode !== 'graduated' && mode !== 'volume') {
    throw new RangeError(
      `Cannot price quantity: mode must be graduated or volume, current value is ${String(mode)}`,
    );
  }
  if (!Number.isSafeInteger(quantity) || quantity < 0) {
    throw new RangeError(
      `Cannot price quantity: it must be a whole number of at least 0, current value is ${quantity}`,
    );
  }
  const lines: TierLine[] = [];
  let first = 1;
  for (const { upTo, unitPrice } of tiers) {
    if (first > quantity && lines.length > 0) break;
    const last = upTo === null || upTo > quantity ? quantity : upTo;
    if (mode === 'graduated') lines.push(lineOf(first, last, unitPrice));
    else lines[0] = lineOf(1, quantity, unitPrice);
    first = last + 1;
  }
  return lines;
}

function lineOf(first: number, to: number, unitPrice: Usd): TierLine {
  const quantity = to - first + 1;
  const from = quantity === 0 ? 0 : first;
  return { from, to, quantity, unitPrice, amount: toCents(BigInt(quantity) * unitPrice) };
}

function checkTiers(tiers: readonly Tier[]): void {
  const ends = tiers.map(({ upTo }) => upTo);
  const rise = ends
    .slice(0, -1)
    .every((end, index) => Number.isSafeInteger(end) && Number(end) > (ends[index - 1] ?? 0));
  if (rise && ends.at(-1) === null) return;
  throw new RangeError(
    `Cannot price quantity: tiers must rise and only the last be open, current ends are ${ends.join(', ')}`,
  );
}
