import { renderChart } from './render-chart.js';
import { show } from './show.js';
import { textWidth } from './text-width.js';
import { TITLE_SIZE, themed } from './theme.js';

/** What a chart says, in Plotly's terms. */
export interface ChartOptions {
  /** Headline over the chart. */
  readonly title: string;
  /** One sentence for people who do not see the chart: what it shows, with its main figures. */
  readonly alt: string;
  /** Plotly traces: `bar`, `scatter` or `pie`. Dates are drawn in UTC; a bigint becomes a number. */
  readonly data: readonly ChartTrace[];
  /** Plotly's layout, merged over the kit's theme, e.g. `{ yaxis: { title: { text: 'queries per hour' } } }`. */
  readonly layout?: { readonly [key: string]: unknown };
  /** Pixels. @default 760 */
  readonly width?: number;
  /** Pixels. @default 420 */
  readonly height?: number;
}

/** A Plotly trace; its other members are Plotly's own (x, y, name, text, marker, …). */
export interface ChartTrace {
  readonly type: 'bar' | 'scatter' | 'pie';
  readonly [key: string]: unknown;
}

/**
 * Shows a chart as one output: interactive where Plotly is at hand, a picture everywhere else, and its text.
 * The first chart of a process takes about a second, later ones a fifth.
 *
 * @throws TypeError without `title` or `alt`
 * @example
 * await chart({
 *   title: 'Queries in November 2025',
 *   alt: 'acme-corp asked 28,450 queries and beta-inc 8,320.',
 *   data: [{ type: 'bar', x: ['acme-corp', 'beta-inc'], y: [28450, 8320] }],
 *   layout: { yaxis: { title: { text: 'queries' } } },
 * });
 */
export async function chart(options: ChartOptions): Promise<void> {
  const { title, alt, data, layout = {}, width = 760, height = 420 } = options;
  if (!title?.trim()) throw new TypeError('Cannot draw a chart without a title: title is empty');
  if (!alt?.trim()) {
    throw new TypeError('Cannot draw a chart without alt: write one sentence that says what the chart shows');
  }
  const figure = plain({
    data,
    layout: {
      ...themed({ ...layout, title: { ...object(layout.title), text: wrapped(title, width - 40) } }, data),
      width,
      height,
    },
    config: { displayModeBar: false, responsive: false },
  });
  const png = await renderChart(figure);
  // No HTML member: nbconvert would prefer it to the picture, and GitHub strips it.
  show(
    {
      'application/vnd.plotly.v1+json': figure,
      'image/png': png.toString('base64'),
      'text/plain': `${title}\n${alt}`,
    },
    { 'image/png': { width, height, alt } },
  );
}

/** As JSON sees it, so that the picture and the interactive chart draw the very same figure. */
function plain<T>(figure: T): T {
  return JSON.parse(
    JSON.stringify(figure, (_key, value) => (typeof value === 'bigint' ? Number(value) : value)),
  );
}

/** Plotly cuts a title that is too long; broken between words it stays whole. */
function wrapped(title: string, width: number): string {
  return title.split(' ').reduce((lines, word) => {
    const last = `${lines.split('<br>').at(-1)} ${word}`;
    return textWidth(last, TITLE_SIZE) > width ? `${lines}<br>${word}` : `${lines} ${word}`;
  });
}

function object(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
