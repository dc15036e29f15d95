import { describe, expect, it } from 'vitest';
import { prorate } from '../../src/invoices/proration.js';
import { parseMonth } from '../../src/period.js';

const seconds = (start: number, end: number) => ({
  start: new Date(start * 1_000),
  end: new Date(end * 1_000),
});
const at = (second: number) => new Date(second * 1_000);

describe('prorate()', () => {
  it.each([
    ['half of 10 and 20 dollars', seconds(0, 100), 50, [-1_000n, 2_000n], [-500n, 1_000n]],
    [
      'Stripe’s preview',
      seconds(1_596_749_288, 1_599_427_688),
      1_598_982_148,
      [-1_000n, 3_252n],
      [-166n, 541n],
    ],
    ['a third left, recorded', seconds(0, 2_592_000), 1_728_000, [-2_000n, 1_000n], [-667n, 333n]],
  ])('splits as Stripe does: %s', (_, period, from, fees, cents) => {
    expect(fees.map((fee) => prorate(fee, { from: at(from), period }))).toEqual(cents);
  });

  it.each([
    [-5n, -3n],
    [9n, 4n],
    [15n, 7n],
    [5n, 2n],
    [-9n, -5n],
    [1n, 0n],
    [-1n, -1n],
    [0n, 0n],
  ])('halves %s to %s: a tie goes down', (fee, cents) => {
    expect(prorate(fee, { from: at(1), period: seconds(0, 2) })).toBe(cents);
  });

  it('gives all at the start and nothing at the end', () => {
    const period = parseMonth('2025-11');
    expect(prorate(2_900n, { from: period.start, period })).toBe(2_900n);
    expect(prorate(2_900n, { from: period.end, period })).toBe(0n);
  });

  it('counts whole seconds', () => {
    const period = seconds(0, 2);
    expect(prorate(100n, { from: new Date(1_999), period })).toBe(50n);
  });

  it.each([
    ['before the start', -1],
    ['after the end', 101],
  ])('refuses an instant %s', (_, second) => {
    expect(() => prorate(100n, { from: at(second), period: seconds(0, 100) })).toThrow(
      `Cannot prorate: ${at(second).toISOString()} lies outside the period`,
    );
  });

  it('refuses an empty period', () => {
    expect(() => prorate(100n, { from: at(5), period: seconds(5, 5) })).toThrow(RangeError);
  });
});
