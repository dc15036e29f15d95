import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** What is on the screen of those who open the committed notebooks in VS Code or on GitHub, by their rules. */
interface Cell {
  readonly cell_type: 'code' | 'markdown';
  readonly source: Text;
  readonly execution_count?: number | null;
  readonly outputs?: readonly Output[];
  readonly attachments?: object;
}
interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: Text;
  readonly data?: { readonly [type: string]: unknown };
  readonly metadata?: { readonly [type: string]: { readonly alt?: string } };
}
type Text = string | readonly string[];
const textOf = (text: unknown) => [text].flat().join('');

/** VS Code draws these by itself; Plotly's with an extension, else the picture. GitHub takes the first of the rest. */
const SHOWN = ['application/vnd.plotly.v1+json', 'image/png', 'text/html', 'text/plain'];
const PLOTLY = SHOWN[0] as string;
/** What GitHub's sanitizer leaves of a table, so that it says the same without its styles. */
const TAGS = /^<\/?(table|caption|thead|tbody|tr|th|td|b|i|span|br)[ >]$/;
const FOLDER_OF_SOMEBODY = /(^|[\s"'`(=])(\/(home|Users|root|tmp|work|var|mnt|opt)\/|[A-Z]:\\)/m;
const PORT_OF_A_RUN = /\b(localhost|127\.0\.0\.1|\[::1\]):\d+/;

const folder = fileURLToPath(new URL('../../notebooks/', import.meta.url));
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ipynb') && !name.includes('.ipynb_checkpoints'),
);

describe.each(names.sort())('%s', (name) => {
  const file = join(folder, name);
  const cells: Cell[] = JSON.parse(readFileSync(file, 'utf8')).cells;
  const code = cells.filter((cell) => cell.cell_type === 'code');
  const outputs = code.flatMap((cell) => cell.outputs ?? []);
  const displays = outputs.flatMap(({ data, metadata }) => (data ? [{ data, metadata }] : []));
  const prose = cells.filter((cell) => cell.cell_type === 'markdown').map(({ source }) => textOf(source));

  it('is small enough to be shown', () => {
    expect(statSync(file).size).toBeLessThan(1_000_000);
  });

  it('was run once from its first cell to its last', () => {
    expect(code.map((cell) => cell.execution_count)).toEqual(code.map((_, index) => index + 1));
  });

  it('shows no error and nothing from stderr', () => {
    expect(outputs.filter((output) => output.output_type === 'error' || output.name === 'stderr')).toEqual(
      [],
    );
  });

  it('has a form of every output that is shown without scripts, and its text', () => {
    for (const { data } of displays) {
      expect(SHOWN).toEqual(expect.arrayContaining(Object.keys(data)));
      expect(textOf(data['text/plain']).trim()).not.toBe('');
      if (PLOTLY in data) expect(textOf(data['image/png'])).toMatch(/^iVBORw0KGgo/);
    }
  });

  it('says in words what each picture shows', () => {
    for (const { data, metadata } of displays.filter((display) => 'image/png' in display.data)) {
      const alt = metadata?.['image/png']?.alt ?? '';
      expect(alt).toMatch(/\w+ .*\w+/);
      expect(textOf(data['text/plain'])).toContain(alt);
    }
  });

  it('keeps its tables whole when styles are taken away', () => {
    for (const html of displays.flatMap(({ data }) => textOf(data['text/html'] ?? []) || [])) {
      const tags = html.match(/<\/?[a-z][a-z0-9]*[ >]/gi) ?? [];
      expect(tags.filter((tag) => !TAGS.test(tag))).toEqual([]);
      const rightByStyle = html.match(/<t[dh][^>]*text-align:right/g) ?? [];
      expect(html.match(/<t[dh][^>]* align="right"/g) ?? []).toHaveLength(rightByStyle.length);
    }
  });

  it('names no folder, machine or port of the run that it comes from', () => {
    const { cells: _, ...others } = JSON.parse(readFileSync(file, 'utf8'));
    const texts = outputs.flatMap(({ text, data }) => [textOf(text ?? ''), ...Object.values(data ?? {})]);
    for (const text of [...texts, ...prose, ...code.map(({ source }) => textOf(source)), others]) {
      const whole = typeof text === 'string' ? text : JSON.stringify(text);
      expect(whole).not.toMatch(FOLDER_OF_SOMEBODY);
      expect(whole).not.toMatch(PORT_OF_A_RUN);
      expect(whole.split(/\W+/)).not.toContain(hostname());
    }
  });

  it('brings its pictures along', () => {
    expect(cells.filter((cell) => cell.attachments)).toEqual([]);
    expect(prose.filter((text) => /!\[|<img/.test(text))).toEqual([]);
  });

  it('has no two dollar signs between which JupyterLab would see a formula, escaped or not', () => {
    const pieces = prose.flatMap((text) => text.replace(/`[^`]*`/g, '').split(/\n|\||<\/?span>|\*\*/));
    expect(pieces.filter((piece) => piece.split('$').length > 2)).toEqual([]);
  });
});
