import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf, PRICE_TABLES, type PriceTable, priceTableAt, type Usage } from '../../src/metering/costs.js';
import { formatUsd, parseUsd } from '../../src/money.js';

const [course] = PRICE_TABLES as [PriceTable];
const usage = (some: Partial<Usage>): Usage => ({
  queries: 0,
  tokensInput: 0,
  tokensOutput: 0,
  bytes: 0,
  ...some,
});
const cost = (some: Partial<Usage>) => formatUsd(costOf(course, usage(some)));

describe('PRICE_TABLES', () => {
  it('has the course’s prices', () => {
    const prices = Object.entries(course.models).map(([model, { input, output }]) => [
      model,
      formatUsd(input),
      formatUsd(output),
    ]);
    expect(prices).toEqual([
      ['gpt-4o', '0.00250000', '0.01000000'],
      ['gpt-4o-mini', '0.00015000', '0.00060000'],
      ['text-embedding-3-small', '0.00002000', '0.00000000'],
    ]);
    expect([course.markupPercent, course.basePerQuery, course.storagePerGbMonth]).toEqual([
      20,
      parseUsd('0.001'),
      parseUsd('0.096'),
    ]);
  });
});

describe('costOf()', () => {
  it.each([
    [{ model: 'gpt-4o', queries: 1, tokensInput: 1_000, tokensOutput: 500 }, '0.01000000'],
    [{ model: 'gpt-4o', queries: 1, tokensInput: 170, tokensOutput: 12 }, '0.00165400'],
    [{ model: 'gpt-4o', queries: 1 }, '0.00100000'],
    [{ model: 'gpt-4o-mini', queries: 1, tokensInput: 1_000, tokensOutput: 500 }, '0.00154000'],
    [{ model: 'gpt-4o-mini', tokensInput: 1, tokensOutput: 1 }, '0.00000090'],
    [{ model: 'text-embedding-3-small', tokensInput: 1_000, tokensOutput: 1_000 }, '0.00002400'],
    [{ queries: 3 }, '0.00300000'],
    [{ bytes: 30_000_000_000 }, '0.09600000'],
    [{ bytes: 1_000_000_000 }, '0.00320000'],
    [{}, '0.00000000'],
  ])('prices %o', (some, dollars) => {
    expect(cost(some)).toBe(dollars);
  });

  it.each([
    [1, '0.00000002'],
    [2, '0.00000005'],
    [5, '0.00000012'],
    [10, '0.00000024'],
  ])('rounds once for the whole event: %i tokens at 2.4 units each', (tokensInput, dollars) => {
    expect(cost({ model: 'text-embedding-3-small', tokensInput })).toBe(dollars);
  });

  it('adds fractions of tokens and storage before it rounds', () => {
    // 2.4 units of tokens and 0.32 of storage: 2.72 rounds to 3, while the parts alone give 2 and 0.
    expect(cost({ model: 'text-embedding-3-small', tokensInput: 1, bytes: 1_000 })).toBe('0.00000003');
  });

  it('rounds an exact half away from zero', () => {
    const half = { ...course, markupPercent: 0, models: { m: { input: 500n, output: 0n } } };
    expect([1, 3].map((tokensInput) => costOf(half, usage({ model: 'm', tokensInput })))).toEqual([1n, 2n]);
  });

  it('equals the rational number, rounded', () => {
    const count = fc.nat({ max: 4_294_967_295 });
    const model = fc.constantFrom(...Object.keys(course.models));
    const quantities = fc.record({
      model,
      queries: count,
      tokensInput: count,
      tokensOutput: count,
      bytes: fc.maxSafeNat(),
    });
    fc.assert(fc.property(quantities, (some) => costOf(course, some) === rationalCost(some)));
  });

  it.each(['constructor', '__proto__', 'toString', 'GPT-4O', 'gpt-4o ', ''])(
    'has no price for %j',
    (model) => {
      expect(() => costOf(course, usage({ model }))).toThrow(
        `Cannot price event: price table 2025-01 has no model ${JSON.stringify(model)}, it has gpt-4o, gpt-4o-mini, text-embedding-3-small`,
      );
    },
  );
});

/** In units of 1e-8 dollars, as one fraction over 1e5 × 3e10 with the course's prices spelled out. */
function rationalCost({ model, queries, tokensInput, tokensOutput, bytes }: Usage): bigint {
  const perMillion = {
    'gpt-4o': [300n, 1_200n],
    'gpt-4o-mini': [18n, 72n],
    'text-embedding-3-small': [2.4, 0],
  } as const;
  const [input, output] = perMillion[model as keyof typeof perMillion];
  const tenths =
    BigInt(Number(input) * 10) * BigInt(tokensInput) + BigInt(Number(output) * 10) * BigInt(tokensOutput);
  const denominator = 30_000_000_000n;
  const numerator =
    (tenths * denominator) / 10n + BigInt(queries) * 100_000n * denominator + BigInt(bytes) * 9_600_000n;
  const whole = numerator / denominator;
  return 2n * (numerator % denominator) >= denominator ? whole + 1n : whole;
}

describe('priceTableAt()', () => {
  const change = new Date('2025-07-01T00:00:00Z');
  const dearer: PriceTable = { ...course, version: '2025-07', effectiveFrom: change };
  const versionAt = (instant: string, tables = [dearer, course]) =>
    priceTableAt(tables, new Date(instant)).version;

  it.each([
    ['2025-06-30T23:59:59.999Z', '2025-01'],
    ['2025-07-01T00:00:00.000Z', '2025-07'],
    ['2025-07-01T00:00:00.001Z', '2025-07'],
    ['2025-01-01T00:00:00.000Z', '2025-01'],
  ])('at %s it is %s, in whatever order the tables stand', (instant, version) => {
    expect([versionAt(instant), versionAt(instant, [course, dearer])]).toEqual([version, version]);
  });

  it('has none before the first', () => {
    expect(() => versionAt('2024-12-31T23:59:59.999Z')).toThrow(
      new RangeError('Cannot price event: no price table holds at 2024-12-31T23:59:59.999Z'),
    );
  });
});
