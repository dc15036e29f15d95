import { describe, expect, it } from 'vitest';

const module = new URL('../../.jupyter/headless/compare-outputs.mjs', import.meta.url).href;
const { compareOutputs } = (await import(module)) as {
  compareOutputs(committed: object, executed: object): string[];
};

const printed = (text: string | string[]) => ({ output_type: 'stream', name: 'stdout', text });
const displayed = (data: object) => ({ output_type: 'display_data', data, metadata: {} });
const cell = (...outputs: object[]) => ({ cell_type: 'code', source: 'run()', outputs });
const notebook = (...cells: object[]) => ({
  cells: [{ cell_type: 'markdown', source: '# Lesson' }, ...cells],
});

describe('compareOutputs()', () => {
  it('finds equal what is written differently', () => {
    const committed = notebook(cell(printed(['one\n', 'two\n'])), cell(displayed({ a: '1', b: { c: [1] } })));
    const executed = notebook(cell(printed('one\ntwo\n')), cell(displayed({ b: { c: [1] }, a: ['1'] })));
    expect(compareOutputs(committed, executed)).toEqual([]);
  });

  it('names each cell that differs, with the first line that does', () => {
    const committed = notebook(cell(printed('a\n')), cell(printed('total\n$1.00\n')), cell(printed('c\n')));
    const executed = notebook(cell(printed('a\n')), cell(printed('total\n$2.00\n')), cell());
    expect(compareOutputs(committed, executed)).toEqual([
      'cell [2] printed something else\n  committed: $1.00\n  this run:  $2.00',
      'cell [3] printed something else\n  committed: stdout:\n  this run:  ',
    ]);
  });

  it('looks at the data of charts, and only at whether there is a picture', () => {
    const chart = (bars: number[], data: object) =>
      notebook(cell(displayed({ 'application/vnd.plotly.v1+json': { bars }, ...data })));
    const committed = chart([1, 2], { 'image/png': 'AAAA' });
    expect(compareOutputs(committed, chart([1, 2], { 'image/png': 'BBBB' }))).toEqual([]);
    expect(compareOutputs(committed, chart([1, 3], { 'image/png': 'AAAA' }))).toHaveLength(1);
    expect(compareOutputs(committed, chart([1, 2], {}))).toHaveLength(1);
  });

  it('complains of a notebook without outputs, once', () => {
    expect(
      compareOutputs(notebook(cell(), cell()), notebook(cell(printed('a')), cell(printed('b')))),
    ).toEqual(['it is committed without outputs: run npm run notebooks -- NAME --write']);
  });

  it('shortens long lines', () => {
    const long = (end: string) => notebook(cell(printed('x'.repeat(900) + end)));
    const [text = ''] = compareOutputs(long('a'), long('b'));
    expect(text.length).toBeLessThan(400);
  });
});
