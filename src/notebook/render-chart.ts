import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { plotlyWindow } from './plotly-window.js';
import { FONT } from './theme.js';

/** A Plotly figure with its size in CSS pixels. */
export interface Figure {
  readonly data: readonly object[];
  readonly layout: { readonly width: number; readonly height: number; readonly [key: string]: unknown };
  readonly config?: object;
}

/** Pixels of the PNG per CSS pixel: sharp enough on a laptop's screen, and a chart stays under 100 kB. */
const SCALE = 1.5;

/**
 * A figure as PNG, drawn in Node: the same figure gives the same bytes, on any machine with the same
 * packages, since the font comes from a package too. Reach for `chart()` in a cell; for this in a file or a test.
 *
 * @example
 * const png = await renderChart({ data: [{ type: 'bar', y: [1, 2] }], layout: { width: 400, height: 300 } });
 */
export async function renderChart(figure: Figure): Promise<Buffer> {
  const { width, height } = figure.layout;
  const plotly = await plotlyWindow();
  const svg = await plotly.toSvg(JSON.stringify(figure), { width, height });
  const require = createRequire(import.meta.url);
  const { Resvg } = require('@resvg/resvg-js') as ResvgModule;
  const fonts = join(dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const drawing = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: SCALE },
    font: {
      loadSystemFonts: false,
      fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => join(fonts, file)),
      defaultFontFamily: FONT,
    },
  });
  return drawing.render().asPng();
}

interface ResvgModule {
  readonly Resvg: new (svg: string, options: object) => { render(): { asPng(): Buffer } };
}
