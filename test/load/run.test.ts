import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runNodeProgram } from '../support/run-program.js';

const load = (...args: string[]) =>
  runNodeProgram([fileURLToPath(new URL('run.mjs', import.meta.url)), ...args]);

describe('npm run load', () => {
  it('says what it takes', async () => {
    const { code, printed } = await load('--help');
    expect(code).toBe(0);
    for (const name of ['seconds', 'rate', 'tenants', 'seed', 'json']) expect(printed).toContain(`--${name}`);
  });

  it.each([
    ['--seconds', '0', '--seconds takes a whole number above 0, not "0".\n'],
    ['--seed', 'x', '--seed takes a whole number, not "x".\n'],
  ])('refuses %s %s', async (name, value, printed) => {
    expect(await load(name, value)).toEqual({ code: 1, printed });
  });
});
