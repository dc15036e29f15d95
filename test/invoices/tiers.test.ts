import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Tier, tierLines } from '../../src/invoices/tiers.js';
import { parseUsd } from '../../src/money.js';

const tier = (upTo: number | null, dollars: string): Tier => ({ upTo, unitPrice: parseUsd(dollars) });
/** The example of Stripe's documentation. */
const STRIPE = [tier(5, '7'), tier(10, '6.50'), tier(null, '6')];
/** The tiers of the course's exercise. */
const COURSE = [tier(1_000, '0.01'), tier(6_000, '0.008'), tier(null, '0.005')];
const total = (tiers: Tier[], quantity: number, mode?: 'volume') =>
  tierLines(tiers, quantity, mode).reduce((sum, { amount }) => sum + amount, 0n);

describe('tierLines(), graduated', () => {
  it.each([
    [0, 0n],
    [1, 700n],
    [5, 3_500n],
    [6, 4_150n],
    [10, 6_750n],
    [11, 7_350n],
    [20, 12_750n],
    [25, 15_750n],
  ])('prices %i as Stripe does', (quantity, cents) => {
    expect(total(STRIPE, quantity)).toBe(cents);
  });

  it.each([
    [1, 1n],
    [1_000, 1_000n],
    [1_001, 1_001n],
    [1_500, 1_400n],
    [6_000, 5_000n],
    [8_320, 6_160n],
  ])('prices %i in the course’s exercise', (quantity, cents) => {
    expect(total(COURSE, quantity)).toBe(cents);
  });

  it('has a line for each tier that is reached', () => {
    expect(tierLines(STRIPE, 6)).toEqual([
      { from: 1, to: 5, quantity: 5, unitPrice: parseUsd('7'), amount: 3_500n },
      { from: 6, to: 6, quantity: 1, unitPrice: parseUsd('6.5'), amount: 650n },
    ]);
    expect(tierLines(STRIPE, 5)).toHaveLength(1);
  });

  it('has a line of nothing for nothing', () => {
    expect(tierLines(STRIPE, 0)).toEqual([
      { from: 0, to: 0, quantity: 0, unitPrice: parseUsd('7'), amount: 0n },
    ]);
  });

  it('rounds each line once, half away from zero', () => {
    const tiers = [tier(1, '0.005'), tier(2, '0.00499999'), tier(null, '0.00499999')];
    expect(tierLines(tiers, 3).map(({ amount }) => amount)).toEqual([1n, 0n, 0n]);
  });

  it('covers every unit exactly once', () => {
    const ends = fc.uniqueArray(fc.integer({ min: 1, max: 1e6 }), { maxLength: 6 });
    fc.assert(
      fc.property(ends, fc.nat({ max: 2e6 }), (some, quantity) => {
        const tiers = [...some.sort((a, b) => a - b), null].map((upTo) => tier(upTo, '0.01'));
        const lines = tierLines(tiers, quantity);
        const joined = lines.every(
          ({ from }, index) => index === 0 || from === (lines[index - 1]?.to ?? 0) + 1,
        );
        return joined && lines.reduce((sum, line) => sum + line.quantity, 0) === quantity;
      }),
    );
  });
});

describe('tierLines(), volume', () => {
  it.each([
    [0, 0n],
    [5, 3_500n],
    [6, 3_900n],
    [20, 12_000n],
    [25, 15_000n],
  ])('prices %i as Stripe does', (quantity, cents) => {
    expect(total(STRIPE, quantity, 'volume')).toBe(cents);
  });

  it('has a cliff: one unit more costs less', () => {
    const tiers = [tier(5, '7'), tier(null, '1')];
    expect([5, 6].map((quantity) => total(tiers, quantity, 'volume'))).toEqual([3_500n, 600n]);
  });

  it('has one line', () => {
    expect(tierLines(STRIPE, 25, 'volume')).toEqual([
      { from: 1, to: 25, quantity: 25, unitPrice: parseUsd('6'), amount: 15_000n },
    ]);
  });
});

describe('tierLines()', () => {
  it.each([
    [[]],
    [[5]],
    [[null, null]],
    [[null, 5]],
    [[5, 5, null]],
    [[10, 5, null]],
    [[0, null]],
    [[-1, null]],
    [[1.5, null]],
    [[NaN, null]],
    [[Infinity, null]],
  ])('refuses tiers that end at %j', (ends) => {
    const tiers = (ends as (number | null)[]).map((upTo) => tier(upTo, '1'));
    expect(() => tierLines(tiers, 1)).toThrow(
      new RangeError(
        `Cannot price quantity: tiers must rise and only the last be open, current ends are ${tiers.map(({ upTo }) => upTo).join(', ')}`,
      ),
    );
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('refuses the quantity %s', (quantity) => {
    expect(() => tierLines(STRIPE, quantity)).toThrow(
      `Cannot price quantity: it must be a whole number of at least 0, current value is ${quantity}`,
    );
  });
});
