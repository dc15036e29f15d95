import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideHalfAway, formatCents, formatUsd, parseUsd, toCents } from '../src/money.js';

describe('parseUsd()', () => {
  it.each([
    ['0', 0n],
    ['47.229997', 4_722_999_700n],
    ['0.00000001', 1n],
    ['-0.00000001', -1n],
    ['-0', 0n],
    ['007.5', 750_000_000n],
    ['9999999999.99999999', 999_999_999_999_999_999n],
    ['123456789012345678.12345678', 12_345_678_901_234_567_812_345_678n],
  ])('reads %s', (text, units) => {
    expect(parseUsd(text)).toBe(units);
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '1\n',
    '+1',
    '-',
    '.5',
    '1.',
    '1e-7',
    '1E3',
    '0.123456789',
    'NaN',
    'Infinity',
    '1,000',
    '1_000',
    '0x10',
    '$1',
    '--1',
    '１',
    'null',
  ])('refuses %j', (text) => {
    expect(() => parseUsd(text)).toThrow(RangeError);
  });

  it('says what was refused', () => {
    expect(() => parseUsd('1,000')).toThrow(
      'Cannot read dollars: need a decimal of at most 8 places, current value is "1,000"',
    );
  });

  it('refuses null that came past the types', () => {
    expect(() => parseUsd(null as unknown as string)).toThrow(RangeError);
  });
});

describe('formatUsd()', () => {
  it.each([
    [0n, '0.00000000'],
    [1n, '0.00000001'],
    [-1n, '-0.00000001'],
    [100_000_000n, '1.00000000'],
    [999_999_999_999_999_999n, '9999999999.99999999'],
  ])('writes %s', (units, text) => {
    expect(formatUsd(units)).toBe(text);
  });

  it('is undone by parseUsd() for every amount', () => {
    fc.assert(fc.property(fc.bigInt(), (units) => parseUsd(formatUsd(units)) === units));
  });
});

describe('formatCents()', () => {
  it.each([
    [0n, '0.00'],
    [5n, '0.05'],
    [-5n, '-0.05'],
    [4_723n, '47.23'],
    [-123_456n, '-1234.56'],
  ])('writes %s', (cents, text) => {
    expect(formatCents(cents)).toBe(text);
  });
});

describe('toCents()', () => {
  it.each([
    ['0.00499999', 0n],
    ['0.005', 1n],
    ['-0.00499999', 0n],
    ['-0.005', -1n],
    ['0.015', 2n],
    ['0.025', 3n],
    ['1.005', 101n],
    ['-1.005', -101n],
    ['47.22999700', 4_723n],
    ['82.40999900', 8_241n],
    ['9999999999.99499999', 999_999_999_999n],
  ])('rounds %s', (dollars, cents) => {
    expect(toCents(parseUsd(dollars))).toBe(cents);
  });
});

describe('divideHalfAway()', () => {
  it.each([
    [5n, 2n, 3n],
    [-5n, 2n, -3n],
    [4n, 3n, 1n],
    [-4n, 3n, -1n],
    [1n, 3n, 0n],
    [-1n, 3n, 0n],
    [0n, 7n, 0n],
    [7n, 1n, 7n],
  ])('divides %s by %s', (dividend, divisor, quotient) => {
    expect(divideHalfAway(dividend, divisor)).toBe(quotient);
  });

  it.each([0n, -1n])('refuses the divisor %s', (divisor) => {
    expect(() => divideHalfAway(1n, divisor)).toThrow(
      `Cannot divide: the divisor must be positive, current value is ${divisor}`,
    );
  });

  it('is never further than half a divisor away, and mirrors the sign', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt({ min: 1n, max: 10n ** 20n }), (dividend, divisor) => {
        const rest = dividend - divideHalfAway(dividend, divisor) * divisor;
        const mirrored = divideHalfAway(-dividend, divisor) === -divideHalfAway(dividend, divisor);
        return mirrored && 2n * (rest < 0n ? -rest : rest) <= divisor;
      }),
    );
  });
});
