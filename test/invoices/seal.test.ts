import { describe, expect, it } from 'vitest';
import { seal, sha256 } from '../../src/invoices/seal.js';

describe('sha256()', () => {
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['é', '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c'],
  ])('of %j is known', (text, hash) => {
    expect(sha256(text)).toBe(hash);
  });
});

describe('seal()', () => {
  it('writes keys in order at every depth, lists as they are, without spaces', () => {
    const { json } = seal({ z: [{ b: 1, a: 'x' }, 3], a: { d: null, c: true } });
    expect(json).toBe('{"a":{"c":true,"d":null},"z":[{"a":"x","b":1},3]}');
  });

  it('hashes the bytes that it gives', () => {
    const sealed = seal({ month: '2025-11', kind: 'cost' });
    expect(sealed).toEqual({
      invoice: { month: '2025-11', kind: 'cost' },
      json: '{"kind":"cost","month":"2025-11"}',
      sha256: sha256('{"kind":"cost","month":"2025-11"}'),
    });
  });

  it('does not depend on the order in which keys came', () => {
    expect(seal({ a: 1, b: { c: 2, d: 3 } }).sha256).toBe(seal({ b: { d: 3, c: 2 }, a: 1 }).sha256);
  });

  it('depends on the order of lines', () => {
    expect(seal({ lines: [1, 2] }).sha256).not.toBe(seal({ lines: [2, 1] }).sha256);
  });

  it.each([0.5, NaN, Infinity, -Infinity, 2 ** 53])('refuses the number %s, however deep', (amount) => {
    expect(() => seal({ lines: [{ amount }] })).toThrow(
      new TypeError(`Cannot seal invoice: amount must be an integer or a string, current value is ${amount}`),
    );
  });

  it('refuses a bigint', () => {
    expect(() => seal({ amount: 1n })).toThrow(TypeError);
  });

  it('leaves the invoice itself as it was', () => {
    const invoice = { b: 1, a: 2 };
    expect(Object.keys(seal(invoice).invoice)).toEqual(['b', 'a']);
  });
});
