import type { LoadedPanel } from '../dashboard/load-dashboard.js';
import { type ChartTrace, chart } from './chart.js';
import { COLORS } from './theme.js';

const COLUMNS = 2;
const ROW_HEIGHT = 250;

/** Room between panels, as a share of the picture. */
const GAP = { x: 0.12, y: 0.16 };

/** Colours of a gauge's marks: warning and alarm. */
const [, WARNING, , ALARM] = COLORS;

/**
 * Draws all panels of a dashboard as one chart.
 *
 * @example await dashboardChart('golf-global, 30 November 2025', await loadDashboard(clickhouse, request));
 */
export async function dashboardChart(title: string, panels: readonly LoadedPanel[]): Promise<void> {
  const rows = Math.ceil(panels.length / COLUMNS);
  const placed = panels.map((loaded, index) => placedPanel(loaded, index, rows));
  await chart({
    title,
    alt: panels.map(sentenceOf).join(' '),
    data: placed.flatMap(({ traces }) => traces),
    layout: {
      ...Object.assign({}, ...placed.map(({ axes }) => axes)),
      annotations: placed.map(({ heading }) => heading),
      shapes: placed.flatMap(({ marks }) => marks),
      showlegend: false,
      barmode: 'stack',
      margin: { t: 76 },
    },
    width: 840, // fits beside the file list of a JupyterLab on a laptop
    height: 60 + rows * ROW_HEIGHT,
  });
}

function placedPanel({ panel, rows }: LoadedPanel, index: number, gridRows: number) {
  const suffix = index === 0 ? '' : String(index + 1);
  const [column, row] = [index % COLUMNS, Math.floor(index / COLUMNS)];
  const [left, right] = span(column, COLUMNS, GAP.x);
  const [top, bottom] = span(row, gridRows, GAP.y).map((edge) => 1 - edge) as [number, number];
  const gauge = panel.kind === 'gauge';
  const values = rows.map(({ value }) => Number(value));
  return {
    traces: tracesOf({ panel, rows }, suffix),
    axes: {
      [`xaxis${suffix}`]: {
        domain: [left, right],
        anchor: `y${suffix}`,
        ...(gauge
          ? {
              range: [0, Math.max(100, ...values) * 1.05],
              nticks: 8, // fewer would stand too far from the marks to read them
              title: { text: '% of the day’s quota' },
            }
          : {}),
      },
      [`yaxis${suffix}`]: {
        domain: [bottom, top],
        anchor: `x${suffix}`,
        ...(gauge ? { showticklabels: false } : { rangemode: 'tozero', title: { text: panel.unit } }),
      },
    },
    heading: {
      text: `<b>${panel.title}</b>${legendOf(rows)}`,
      showarrow: false,
      xref: 'paper',
      yref: 'paper',
      x: left,
      y: top,
      xanchor: 'left',
      yanchor: 'bottom',
    },
    marks: panel.thresholds
      ? [mark(panel.thresholds.warning, WARNING, suffix), mark(panel.thresholds.alarm, ALARM, suffix)]
      : [],
  };
}

function tracesOf({ panel, rows }: LoadedPanel, suffix: string): ChartTrace[] {
  const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}` };
  return seriesOf(rows).map((name, index): ChartTrace => {
    const own = rows.filter((row) => row.series === name);
    // A drawing is the one place where money may be a float: nothing is computed from it.
    const values = own.map(({ value }) => Number(value));
    const color = COLORS[index] ?? COLORS[0];
    if (panel.kind === 'gauge') {
      const text = values.map((value) => `${value} %`);
      return { type: 'bar', orientation: 'h', x: values, y: [name], text, marker: { color }, ...axes };
    }
    const points = { name, x: own.map(({ at }) => at), y: values, ...axes };
    return panel.kind === 'bars'
      ? { type: 'bar', marker: { color }, ...points }
      : { type: 'scatter', mode: 'lines', line: { color, width: 2.5 }, ...points };
  });
}

const mark = (at: number, color: string, suffix: string) => ({
  type: 'line',
  xref: `x${suffix}`,
  yref: `y${suffix} domain`,
  x0: at,
  x1: at,
  y0: 0,
  y1: 1,
  line: { color, width: 2, dash: 'dash' },
});

/** Where cell `index` of `count` begins and ends, from 0 to 1. */
function span(index: number, count: number, gap: number): [number, number] {
  const size = (1 - gap * (count - 1)) / count;
  return [index * (size + gap), index * (size + gap) + size];
}

/** Names in their colours, where there is more than one. */
function legendOf(rows: LoadedPanel['rows']): string {
  const names = seriesOf(rows);
  if (names.length < 2) return '';
  return names.map((name, index) => `  <span style="color:${COLORS[index]}">■</span> ${name}`).join('');
}

const seriesOf = (rows: LoadedPanel['rows']) => [...new Set(rows.map(({ series }) => series))];

function sentenceOf({ panel, rows }: LoadedPanel): string {
  const parts = seriesOf(rows).map((name) => {
    const values = rows.filter(({ series }) => series === name).map(({ value }) => Number(value));
    const most = Math.max(...values).toLocaleString('en-US');
    return `${name} up to ${panel.unit === '$' ? `$${most}` : `${most} ${panel.unit}`}`;
  });
  return `${panel.title}: ${parts.join(', ') || 'no data'}.`;
}
