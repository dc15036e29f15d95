import { textWidth } from './text-width.js';

/**
 * The box around the text inside an SVG element. Reach for it where Plotly asks an element for its size:
 * jsdom has no layout, and answers zero or nothing.
 */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What is read of a DOM element; jsdom's and a browser's both fit. */
export interface SvgElement {
  readonly tagName: string;
  readonly textContent: string | null;
  readonly children: ArrayLike<SvgElement>;
  readonly parentElement: SvgElement | null;
  getAttribute(name: string): string | null;
  readonly style?: { getPropertyValue(name: string): string };
}

/** DejaVu Sans above and below the baseline, and Plotly's distance between lines, as parts of the size. */
const ASCENT = 0.93;
const DESCENT = 0.24;
const LINE = 1.3;

/** Box around all text in `element`, in the element's own coordinates: its own transform is not applied. */
export function svgBox(element: SvgElement): Box {
  if (element.tagName === 'text') return textBox(element);
  const boxes = Array.from(element.children, (child) => transformed(svgBox(child), child)).filter(hasSize);
  if (boxes.length === 0) return { left: 0, top: 0, right: 0, bottom: 0 };
  return around(boxes.flatMap(cornersOf));
}

function textBox(text: SvgElement): Box {
  const size = Number.parseFloat(inherited(text, 'font-size')) || 12;
  const bold = /bold|[6-9]00/.test(inherited(text, 'font-weight'));
  const tspans = Array.from(text.children).filter((child) => child.getAttribute('class') === 'line');
  const lines = tspans.length > 0 ? tspans : [text];
  const width = Math.max(...lines.map((line) => textWidth(line.textContent ?? '', size, bold)));
  const anchor = inherited(text, 'text-anchor');
  const x = Number(text.getAttribute('x')) - width * (anchor === 'middle' ? 0.5 : anchor === 'end' ? 1 : 0);
  const y = Number(text.getAttribute('y'));
  const height = width === 0 ? 0 : (ASCENT + DESCENT + LINE * (lines.length - 1)) * size;
  return { left: x, top: y - ASCENT * size, right: x + width, bottom: y - ASCENT * size + height };
}

/** An attribute or style that the element has or inherits. */
function inherited(element: SvgElement, name: string): string {
  const own = element.style?.getPropertyValue(name) || element.getAttribute(name);
  return own || (element.parentElement ? inherited(element.parentElement, name) : '');
}

/** Plotly writes `translate(x,y)` and `rotate(degrees,x,y)`, alone or in a row; the last comes first. */
function transformed(box: Box, element: SvgElement): Box {
  const steps = [...(element.getAttribute('transform') ?? '').matchAll(/(translate|rotate)\(([^)]*)\)/g)];
  const corners = cornersOf(box).map((corner) =>
    steps.reduceRight(([x, y], [, kind, list = '']): Corner => {
      const [a = 0, b = 0, c = 0] = list.split(/[\s,]+/).map(Number);
      if (kind === 'translate') return [x + a, y + b];
      const [cos, sin] = [Math.cos((a * Math.PI) / 180), Math.sin((a * Math.PI) / 180)];
      return [b + (x - b) * cos - (y - c) * sin, c + (x - b) * sin + (y - c) * cos];
    }, corner),
  );
  return around(corners);
}

type Corner = readonly [x: number, y: number];

function cornersOf({ left, top, right, bottom }: Box): Corner[] {
  return [
    [left, top],
    [right, top],
    [left, bottom],
    [right, bottom],
  ];
}

function around(corners: readonly Corner[]): Box {
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

function hasSize(box: Box): boolean {
  return box.right > box.left && box.bottom > box.top;
}
