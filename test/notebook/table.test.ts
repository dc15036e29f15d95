import { describe, expect, it } from 'vitest';
import { type TableOptions, table } from '../../src/notebook/table.js';
import { inKernel } from './kernel-stub.js';

function shown(rows: readonly object[], options?: TableOptions): { html: string; text: string } {
  const sent = inKernel();
  table(rows, options);
  const data = sent[0]?.content.data;
  return { html: String(data?.['text/html']), text: String(data?.['text/plain']) };
}

const usage = [
  { tenant: 'acme-corp', queries: 28450, cost: '47.22999700', active: true, note: null },
  { tenant: 'beta-inc', queries: 8320n, cost: '15.67000300', active: false, note: undefined },
];

describe('table() as text', () => {
  it('aligns figures to the right and shows flags and nothing as marks', () => {
    expect(shown(usage).text.split('\n')).toEqual([
      'tenant     queries         cost  active  note',
      '─────────  ───────  ───────────  ──────  ────',
      'acme-corp   28,450  47.22999700  ✓       –',
      'beta-inc     8,320  15.67000300  ✗       –',
    ]);
  });

  it('selects, orders and names columns', () => {
    const columns = { cost: 'Stored cost, $', tenant: 'Tenant' };
    expect(shown(usage.slice(0, 1), { columns, caption: 'November' }).text.split('\n')).toEqual([
      'November',
      'Stored cost, $  Tenant',
      '──────────────  ─────────',
      '   47.22999700  acme-corp',
    ]);
  });

  it('leaves exact decimals as they came', () => {
    expect(shown([{ cost: '12345678901234567890.10000000' }]).text).toContain(
      '12345678901234567890.10000000',
    );
  });

  it('counts the rows that it leaves out', () => {
    const rows = Array.from({ length: 52 }, (_, row) => ({ row }));
    expect(shown(rows).text.split('\n').at(-1)).toBe('… and 32 more rows');
    expect(shown(rows, { maxRows: 51 }).text.split('\n').at(-1)).toBe('… and 1 more row');
  });

  it('says that there are no rows', () => {
    expect(shown([]).text).toBe('no rows');
    expect(shown([], { columns: { tenant: 'Tenant' } }).text).toBe('Tenant\n──────\nno rows');
  });

  it('keeps a name with line breaks and terminal codes on its line', () => {
    expect(shown([{ tenant: 'a\n\u001b[2Jb\u202ec' }]).text).toBe('tenant\n────────\na [2Jb c');
  });

  it('refuses a maxRows of 0', () => {
    expect(() => table([], { maxRows: 0 })).toThrow(
      new RangeError('Cannot show a table with maxRows 0: it must be a whole number from 1'),
    );
  });
});

describe('table() as HTML', () => {
  it('keeps a hostile tenant name as text', () => {
    const { html } = shown([{ tenant: `<img src=x onerror="alert('1')">&` }], { caption: '<script>' });
    expect(html).toContain('>&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;</td>');
    expect(html).toContain('>&lt;script&gt;</caption>');
    expect(html).not.toMatch(/<img|<script/);
  });

  it('aligns a column of figures and its heading to the right', () => {
    const { html } = shown(usage, { columns: { queries: 'Queries' } });
    expect(html.match(/<th [^>]*text-align:right[^>]*>Queries<\/th>/)).not.toBeNull();
    expect(html.match(/<td [^>]*text-align:right[^>]*>28,450<\/td>/)).not.toBeNull();
  });

  it('aligns a column that also holds words to the left', () => {
    const { html } = shown([{ value: 5 }, { value: 'five' }]);
    expect(html.match(/<td [^>]*text-align:left[^>]*>5<\/td>/)).not.toBeNull();
  });

  it('makes a table of many columns small, and keeps its names on one line', () => {
    const row = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`column ${at}`, at]));
    const wide = shown([{ ...row, 'column 0': 'acme-corp' }]).html;
    expect(wide).toMatch(/^<table style="[^"]*font-size:0.8em">/);
    expect(wide).toMatch(/<td [^>]*white-space:nowrap[^>]*>acme-corp<\/td>/);
    expect(shown(usage).html).not.toMatch(/font-size|nowrap/);
  });

  it('brings no colour of text or ground of its own', () => {
    expect(shown(usage).html).not.toMatch(/[^-]color:|background|<style/);
  });
});
