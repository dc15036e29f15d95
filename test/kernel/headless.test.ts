import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/kernel-client.js';
import { notebookFiles } from '../support/notebook-files.js';
import { type ProgramResult, runNodeProgram } from '../support/run-program.js';

/** `npm run notebooks`, on notebooks of a few cells: what must fail a run, and how it says so. */
const files = notebookFiles();
const copies = join(projectRoot, '.data', 'executed');
afterAll(() => {
  files.remove();
  for (const name of readdirSync(copies)) if (name.startsWith('headless-')) rmSync(join(copies, name));
});

const notebooks = join(projectRoot, '.jupyter', 'notebooks.mjs');
const run = (...args: string[]): Promise<ProgramResult> => runNodeProgram([notebooks, ...args]);

describe('npm run notebooks', () => {
  it('runs a notebook through, keeps its outputs when asked to, and again the same ones offline', async () => {
    const expected = { code: 'throw new Error("expected");', tags: ['raises-exception'] };
    // A red report is no failure when a green one comes after it.
    const red = 'console.log("3/4 ready, 1 failed");';
    // Slow enough for the kernel to say that it runs, which is not kept.
    const printing =
      'await new Promise((ready) => setTimeout(ready, 1_100));\nconsole.log("3/4 checks ready, 1 skipped");\nconsole.log("two");';
    const file = files.write('headless-good', [expected, red, printing]);
    // The runner's own time-out is below the test's: a cell that hangs is named.
    const { code, printed } = await run(file, '--write', '--timeout', '20');
    expect(printed).toMatch(
      /✓ headless-good {2}3 cells {2}3\/4 checks ready, 1 skipped {2}\d+\.\d s {2}\.data.executed/,
    );
    expect(code).toBe(0);

    const kept = readFileSync(file, 'utf8');
    expect(JSON.parse(kept).cells[2]).toMatchObject({
      id: 'cell-3',
      execution_count: 3,
      metadata: {},
      outputs: [{ name: 'stdout', text: ['3/4 checks ready, 1 skipped\n', 'two\n'] }],
    });
    expect(kept.endsWith('}\n')).toBe(true);
    // The copy of an offline run is kept apart.
    const offline = await runNodeProgram([notebooks, file, '--write'], { OFFLINE: 'true' });
    expect(offline.printed).toMatch(/✓ headless-good \(offline\) .*headless-good\.offline\.ipynb\n/);
    expect(readFileSync(file, 'utf8')).toBe(kept);
  });

  it.each([
    ['throws', 'throw new RangeError("boom");', 'RangeError: boom'],
    ['has a type error', 'const n: number = "x";', "1:7 - Type 'string' is not assignable to type 'number'."],
    ['awaits too little', 'void Promise.reject(new Error("lost"));', 'Not awaited: Error: lost'],
    ['ends the kernel', 'process.exit(0);', 'The kernel ended while this cell ran'],
  ])(
    'fails when a cell %s, shows the cell and why, and keeps the notebook as it was',
    async (kind, code, message) => {
      const name = `headless-${kind.replaceAll(' ', '-')}`;
      const file = files.write(name, ['const first = 1;', code, '"not reached";']);
      const before = readFileSync(file, 'utf8');
      const result = await run(file, '--write');
      expect(result.printed).toContain(`✗ ${name}  cell [2] of 3`);
      expect(result.printed).toContain(`  │ ${code}`);
      expect(result.printed).toContain(message);
      expect(result.code).toBe(1);
      expect(readFileSync(file, 'utf8')).toBe(before);
    },
  );

  it('fails when a cell is not done in time', async () => {
    const { code, printed } = await run(
      files.write('headless-slow', ['await new Promise(() => {});']),
      '--timeout',
      '1',
    );
    expect(printed).toContain(
      '  │ await new Promise(() => {});\n\n  Time-out: the cell was not done after 1 s.',
    );
    expect(code).toBe(1);
  });

  it('fails for an error after the last cell', async () => {
    const late = 'setTimeout(() => void Promise.reject(new Error("lost")), 1);';
    const { code, printed } = await run(files.write('headless-late', [late]));
    expect(printed).toContain('An error came up after the last cell, and no cell awaited it.\n  Error: lost');
    expect(code).toBe(1);
  });

  it('fails when the last report is red', async () => {
    const red = 'console.log("3/4 ready, 1 failed");';
    const { code, printed } = await run(files.write('headless-red', ['console.log("4/4 ready");', red]));
    expect(printed).toContain('✗ headless-red  2 cells');
    expect(printed).toContain('its last report is red: 3/4 ready, 1 failed');
    expect(code).toBe(1);
  });

  it('lists the notebooks there are when a name fits none', async () => {
    const { code, printed } = await run('no-such-lesson');
    expect(printed).toMatch(/^No notebook is named like "no-such-lesson"; there are: .+\.\n$/);
    expect(code).toBe(1);
  });
});
