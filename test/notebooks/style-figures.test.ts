import { describe, expect, it } from 'vitest';
import { type CommittedNotebook, committedNotebooks } from './committed.js';

const module = new URL('../../.jupyter/code-lines.mjs', import.meta.url).href;
const { codeLines } = (await import(module)) as { codeLines(source: string): number };

/**
 * The house style's figures. The anchors (norvig/pytudes, Python Data Science Handbook) have two lines of
 * code in a cell and 8 to 19 words of prose to a line of code; our own rule is ten lines in a cell, twenty
 * at the outside. Dumps, the counter-example, have thirteen.
 */
const ANCHORS = { cells: '25–45', 'lines a cell': '2', 'longest cell': '', 'words a line': '8–19' };
const MOST_LINES = 10;
const MOST_LINES_AT_ALL = 20;
const FEWEST_WORDS = 8;

interface CellFigures {
  readonly id: string;
  readonly lines: number;
}

function figuresOf({ cells }: CommittedNotebook) {
  const code: CellFigures[] = cells
    .filter(({ cell_type }) => cell_type === 'code')
    .map(({ id, source }) => ({ id, lines: codeLines(source) }))
    .sort((a, b) => a.lines - b.lines);
  const prose = cells.filter(({ cell_type }) => cell_type === 'markdown').map(({ source }) => source);
  // What has a letter or a digit in it is a word; the marks of tables and headings are none.
  const words = prose.join('\n').match(/\S*[\p{L}\p{N}]\S*/gu)?.length ?? 0;
  const lines = code.reduce((sum, cell) => sum + cell.lines, 0);
  const middle = code.length / 2;
  const median = ((code[Math.ceil(middle) - 1]?.lines ?? 0) + (code[Math.floor(middle)]?.lines ?? 0)) / 2;
  return { code, cells: code.length, median, longest: code.at(-1)?.lines ?? 0, wordsPerLine: words / lines };
}

/** The cells that make it so, the longest first. */
const above = (code: readonly CellFigures[], most: number) =>
  code
    .filter(({ lines }) => lines > most)
    .map(({ id, lines }) => `${id} ${lines}`)
    .reverse();

const notebooks = committedNotebooks('.').map((notebook) => [notebook.name, figuresOf(notebook)] as const);
const solutions = committedNotebooks('solutions').map((one) => [one.name, figuresOf(one)] as const);

console.table({
  'the anchors': ANCHORS,
  ...Object.fromEntries(
    [...notebooks, ...solutions].map(([name, { cells, median, longest, wordsPerLine }]) => [
      name,
      {
        cells: `${cells}`,
        'lines a cell': `${median}`,
        'longest cell': `${longest}`,
        'words a line': wordsPerLine.toFixed(1),
      },
    ]),
  ),
});

describe('the style figures of the notebooks', () => {
  it.each([...notebooks, ...solutions])('no cell of %s has more than twenty lines of code', (_, { code }) => {
    expect(above(code, MOST_LINES_AT_ALL)).toEqual([]);
  });

  it.each(notebooks)('half of the cells of %s have at most ten', (_, { code, median }) => {
    expect(median, `over ten: ${above(code, MOST_LINES).join(', ')}`).toBeLessThanOrEqual(MOST_LINES);
  });

  it.each(notebooks)(
    '%s has at least eight words of prose to a line of code',
    (_, { code, wordsPerLine }) => {
      const longest = above(code, MOST_LINES).join(', ');
      expect(wordsPerLine, `its long cells: ${longest}`).toBeGreaterThanOrEqual(FEWEST_WORDS);
    },
  );
});
