import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { type SvgElement, svgBox } from './svg-box.js';
import { svgPath } from './svg-path.js';

/**
 * Plotly in a page without a browser: one jsdom window for the whole process, made at the first chart
 * (about half a second). Reach for `renderChart()`; this is what it stands on.
 */
export interface Plotly {
  /** Draws the figure (JSON text of `{ data, layout, config }`) and gives its SVG. */
  toSvg(figureJson: string, size: { readonly width: number; readonly height: number }): Promise<string>;
}

let plotly: Promise<Plotly> | undefined;

/** The process's Plotly. Nothing in it keeps the process alive. */
export function plotlyWindow(): Promise<Plotly> {
  plotly ??= openWindow();
  return plotly;
}

/** The parts of jsdom that are used; its own types would pull in the whole DOM library. */
interface Jsdom {
  readonly JSDOM: new (html: string, options: object) => { readonly window: PageWindow };
  readonly VirtualConsole: new () => object;
}

interface PageWindow {
  eval(source: string): unknown;
  readonly SVGElement: { readonly prototype: object };
  readonly Math: object;
  readonly Plotly: { toImage(figure: unknown, options: object): Promise<string> };
  readonly JSON: { parse(text: string): unknown };
}

/** Loading holds up the process, so it pauses: the kernel can say meanwhile that the cell is running. */
async function openWindow(): Promise<Plotly> {
  const require = createRequire(import.meta.url);
  const { JSDOM, VirtualConsole } = require('jsdom') as Jsdom;
  await pause();
  // Without pretendToBeVisual: its animation timer would keep the process alive. A console of its own
  // keeps jsdom's "not implemented" out of the cell.
  const options = { runScripts: 'outside-only', virtualConsole: new VirtualConsole() };
  const { window } = new JSDOM('<!doctype html><body></body>', options);
  giveSizes(window);
  await pause();
  window.eval(readFileSync(require.resolve('plotly.js-basic-dist-min'), 'utf8'));
  await pause();
  return {
    async toSvg(figureJson, size) {
      // Plotly names clip paths at random; the same names each time make the same figure the same SVG.
      Object.assign(window.Math, { random: randomFrom(1) });
      const options = { format: 'svg', imageDataOnly: true, ...size };
      try {
        return await window.Plotly.toImage(window.JSON.parse(figureJson), options);
      } catch (error) {
        // A new error: printing Plotly's own would print its source line, which is 600 kB long.
        throw new Error(`Cannot draw the chart: Plotly says ${messageOf(error)}`);
      }
    },
  };
}

/** Gives timers that are due their turn. */
const pause = () => setTimeout(0);

/** Plotly lays labels, legends and margins out by the first two answers, and arrow heads by the others. */
function giveSizes(window: PageWindow): void {
  function rectangle(this: SvgElement) {
    const box = svgBox(this);
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    return { ...box, x: box.left, y: box.top, width, height };
  }
  Object.assign(window.SVGElement.prototype, {
    getBBox: rectangle,
    getBoundingClientRect: rectangle,
    getTotalLength(this: SvgElement) {
      return svgPath(this.getAttribute('d') ?? '').length;
    },
    getPointAtLength(this: SvgElement, distance: number) {
      return svgPath(this.getAttribute('d') ?? '').at(distance);
    },
  });
}

/** Lehmer's generator: the same sequence for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Errors of the page are not this realm's `Error`. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}
