/** The family of the fonts that the PNG is drawn with; browsers that lack it take the next. */
export const FONT = 'DejaVu Sans';

/** Okabe and Ito's palette, told apart with any colour vision; yellow is last, being faint on white. */
export const COLORS = ['#0072B2', '#E69F00', '#009E73', '#D55E00', '#56B4E9', '#CC79A7', '#F0E442'] as const;

/** Pixels. */
export const TITLE_SIZE = 17;

type Members = { readonly [key: string]: unknown };

/**
 * The look of every chart: the caller's layout over ours, member by member. All axes that the traces use
 * get the same look. The white ground stays white in a dark notebook, so that the ink on it is readable.
 *
 * @example
 * themed({ yaxis: { title: { text: 'queries per hour' } } }, data).yaxis // our lines, their title
 */
export function themed(layout: Members, data: readonly Members[]): Members {
  const legend = layout.showlegend !== false && data.length > 1;
  const titleLines = JSON.stringify(layout.title ?? '').split('<br>').length;
  const margin = { l: 64, r: 28, t: (legend ? 66 : 42) + 22 * titleLines, b: 52 };
  const axes = data.flatMap((trace) => [
    axis('x', trace, layout, trace.orientation === 'h'),
    axis('y', trace, layout, trace.orientation !== 'h'),
  ]);
  // Plotly moves a title of several lines up by half a line each
  const title = { pad: { l: 16, t: 4 + 12 * titleLines } };
  return merged(merged(BASE, { margin, title, ...Object.fromEntries(axes) }), layout);
}

const INK = '#24292f';
const LINE = '#9aa3ad';
const BASE: Members = {
  paper_bgcolor: '#ffffff',
  plot_bgcolor: '#ffffff',
  font: { family: `${FONT}, Verdana, sans-serif`, size: 13, color: INK },
  title: { x: 0, xref: 'container', y: 1, yref: 'container', yanchor: 'top', font: { size: TITLE_SIZE } },
  colorway: COLORS,
  legend: { orientation: 'h', x: 0, xanchor: 'left', y: 1.02, yanchor: 'bottom' },
  bargap: 0.3,
  separators: '.,',
  template: { data: { pie: [{ insidetextorientation: 'horizontal' }] } },
};

const AXIS: Members = {
  gridcolor: '#e3e6ea',
  linecolor: LINE,
  zerolinecolor: LINE,
  tickcolor: LINE,
  showline: true,
  ticks: 'outside',
  separatethousands: true,
  automargin: true,
  title: { standoff: 10, font: { size: 13 } },
};

/** Grid lines only across the measured axis: they carry the eye from a bar's end to its figure. */
function axis(letter: 'x' | 'y', trace: Members, layout: Members, measured: boolean): [string, Members] {
  const name = `${letter}axis${String(trace[`${letter}axis`] ?? letter).slice(1)}`;
  const own = layout[name];
  // on a log axis 1, 2 and 5 of each decade: Plotly writes all nine, on top of each other
  const ticks = isObject(own) && own.type === 'log' ? { dtick: 'D2' } : {};
  return [name, { ...AXIS, ...ticks, showgrid: measured }];
}

/** `over` wins; objects are merged, everything else (arrays too) is replaced. */
function merged(under: Members, over: Members): Members {
  const result: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    result[key] = isObject(before) && isObject(value) ? merged(before, value) : value;
  }
  return result;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
