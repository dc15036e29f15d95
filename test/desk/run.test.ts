import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runNodeProgram } from '../support/run-program.js';

const desk = (args: readonly string[], env: Record<string, string> = {}) =>
  runNodeProgram([fileURLToPath(new URL('run.mjs', import.meta.url)), ...args], env);

describe('npm run desk', () => {
  it('says what it does and where the pictures are', async () => {
    const { code, printed } = await desk(['--help']);
    expect(code).toBe(0);
    for (const word of ['NAME', 'DESK_BROWSER', '.data/desk/']) expect(printed).toContain(word);
  });

  it('does not pass where there is no browser, and says how to get one', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'no-browser-'));
    const { code, printed } = await desk([], { PATH: empty, DESK_BROWSER: '' });
    expect(code).toBe(1);
    expect(printed).toBe(
      'npm run desk needs Chromium or Chrome, and none is on PATH. Install one (Debian: apt-get install chromium),\n' +
        'or name its program: DESK_BROWSER=/path/to/chrome npm run desk\n',
    );
    rmSync(empty, { recursive: true });
  });

  it('refuses a browser that is not there', async () => {
    const { code, printed } = await desk([], { DESK_BROWSER: '/nowhere/chrome' });
    expect([code, printed]).toEqual([1, 'DESK_BROWSER names /nowhere/chrome, and there is no such file.\n']);
  });

  it('refuses a notebook that is not there', async () => {
    const { code, printed } = await desk(['nothing-of-the-kind']);
    expect(code).toBe(1);
    expect(printed).toMatch(/^No notebook is named like "nothing-of-the-kind"; there are: /);
  });
});
