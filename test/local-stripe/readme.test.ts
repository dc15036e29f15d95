import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ROUTES } from '../../src/local-stripe/resources/routes.js';
import { supportedCalls } from './supported-calls.js';

const readme = new URL('../../src/local-stripe/README.md', import.meta.url);

/** The formatter pads the columns of tables. */
const unpadded = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

it('README.md has the table of supported calls that the code gives (UPDATE_README=1 writes it)', () => {
  const text = readFileSync(readme, 'utf8');
  const [, before, , after] =
    /^([\s\S]*<!-- made by [^\n]*\n)([\s\S]*?)(<!-- end -->[\s\S]*)$/.exec(text) ?? [];
  const made = `${before}\n${supportedCalls(ROUTES)}\n\n${after}`;
  if (process.env.UPDATE_README) writeFileSync(readme, made);
  const kept = readFileSync(readme, 'utf8');
  expect(unpadded(kept), 'run this test with UPDATE_README=1').toBe(unpadded(made));
});
