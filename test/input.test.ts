import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { InvalidInputError } from '../src/errors.js';
import { parseInput, tenantId, wholeNumber } from '../src/input.js';

const read = (value: unknown) => parseInput(z.strictObject({ n: wholeNumber }), 'thing', value);
const refusalOf = (value: unknown): unknown => {
  try {
    return read(value);
  } catch (error) {
    return error;
  }
};

describe('parseInput()', () => {
  it('gives back what fits', () => {
    expect(read({ n: 2 })).toEqual({ n: 2 });
  });

  it('tells the thing, the field and the problem apart', () => {
    const { what, field, problem, cause } = refusalOf({ n: -1 }) as InvalidInputError;
    expect([what, field, problem]).toEqual([
      'thing',
      'n',
      'must be a whole number of at least 0, current value is -1',
    ]);
    expect(cause).toBeInstanceOf(z.ZodError);
  });

  it.each([
    [null, 'Cannot accept thing: it must be an object, current value is null'],
    [undefined, 'Cannot accept thing: it must be an object, current value is undefined'],
    [[1], 'Cannot accept thing: it must be an object, current value is [1]'],
    ['{}', 'Cannot accept thing: it must be an object, current value is "{}"'],
    [{}, 'Cannot accept thing: n must be a whole number of at least 0, current value is undefined'],
    [{ n: 1n }, 'Cannot accept thing: n must be a whole number of at least 0, current value is 1'],
    [{ n: NaN }, 'Cannot accept thing: n must be a whole number of at least 0, current value is NaN'],
    [
      { n: Symbol('x') },
      'Cannot accept thing: n must be a whole number of at least 0, current value is Symbol(x)',
    ],
    [{ n: 1, m: 2 }, 'Cannot accept thing: m is not a known field'],
    [JSON.parse('{"n":1,"__proto__":2}'), 'Cannot accept thing: __proto__ is not a known field'],
  ])('refuses %o in a sentence', (value, sentence) => {
    expect(refusalOf(value)).toMatchObject({ name: 'InvalidInputError', message: sentence });
  });

  it('cuts a long value short', () => {
    expect((refusalOf({ n: 'x'.repeat(5_000) }) as Error).message.length).toBeLessThan(200);
  });

  it('refuses a circle and a bigint within, which JSON cannot hold', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const sentence =
      'Cannot accept thing: n must be a whole number of at least 0, current value is [object Object]';
    expect([circle, { deep: 1n }].map((n) => (refusalOf({ n }) as Error).message)).toEqual([
      sentence,
      sentence,
    ]);
  });
});

describe('tenantId', () => {
  it.each(['a', '0', 'acme-corp', 'a_b', `a${'b'.repeat(62)}`])('accepts %j', (id) => {
    expect(parseInput(tenantId, 'tenant id', id)).toBe(id);
  });

  it.each([
    '',
    '-a',
    '_a',
    'A',
    '../x',
    'a b',
    'a/b',
    '{x}',
    'a:b',
    'a\n',
    'é',
    'ａ',
    'a'.repeat(64),
    "a'b",
    '%',
  ])('refuses %j', (id) => {
    expect(() => parseInput(tenantId, 'tenant id', id)).toThrow(
      `must be 1 to 63 of a-z, 0-9, _ and -, a letter or digit first, current value is ${JSON.stringify(id)}`,
    );
  });

  it.each([1, null, ['a'], { toString: () => 'a' }])('refuses %o, which is no text', (id) => {
    expect(() => parseInput(tenantId, 'tenant id', id)).toThrow(/must be a tenant id/);
  });
});
