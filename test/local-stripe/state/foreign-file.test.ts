import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalStripe } from '../../../src/local-stripe/create-local-stripe.js';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-stripe-'));
  file = join(folder, 'stripe.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What cannot be read, and stays as it is. */
function expectRefused(text: string, reason: string) {
  writeFileSync(file, text);
  expect(() => createLocalStripe({ file })).toThrow(`Cannot keep the state in ${file}: ${reason}`);
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect(readdirSync(folder)).toEqual(['stripe.jsonl']);
}

describe('a file that is not a state', () => {
  it.each([
    'precious data without newline',
    'hello\n',
    '\n',
    '{"a":1}\n',
    'null\n',
    '[]\n',
    '{"ids":1,"changes":{}}\n',
    '{"ids":"1","changes":[]}\n',
    '{"ids":1,"changes":[["customer","cus_1"]]}\n',
    '{"ids":1,"changes":[["customer","cus_1",{"id":"cus_2"}]]}\n',
    // A log's first line is never torn.
    '{"ids":1,"changes":[',
  ])('is refused and kept: %j', (text) => expectRefused(text, 'it is not the state of a local Stripe'));

  it('may be empty', async () => {
    writeFileSync(file, '');
    await createLocalStripe({ file }).close();
    expect(readFileSync(file, 'utf8')).toBe('{"ids":0,"changes":[]}\n');
  });
});

describe('a state', () => {
  const first = '{"ids":1,"changes":[]}\n';

  it('with a damaged line is refused, and says which', () => {
    expectRefused(`${first}{"ids":2,"chan\n${first}`, 'line 2 is damaged');
    expectRefused(`${first}${first}{"ids":2,"chan\n`, 'line 3 is damaged');
    expectRefused(`${first}\n`, 'line 2 is damaged');
  });

  it('with rows that are not known here is refused', () =>
    expectRefused(
      '{"ids":1,"changes":[["refund","re_1",{"id":"re_1"}]]}\n',
      'it holds rows of an unknown kind',
    ));

  it('with something foreign at its end is refused', () =>
    expectRefused(`${first}# my notes`, 'its end was not written here'));

  it('loses a torn last line only', async () => {
    for (const torn of ['{', '{"ids":', '{"ids":900,"changes":[["product"']) {
      writeFileSync(file, first);
      appendFileSync(file, torn);
      await createLocalStripe({ file }).close();
      expect(readFileSync(file, 'utf8')).toBe(first);
    }
  });
});

describe('a snapshot that is none', () => {
  it.each(['', 'x', '{}', 'null', '{"ids":1,"changes":[["no","x",null]]}'])(
    'is a RangeError: %j',
    (snapshot) => {
      const open = () => createLocalStripe({ snapshot });
      expect(open).toThrow(RangeError);
      expect(open).toThrow('Cannot begin with the snapshot: it ');
    },
  );
});
