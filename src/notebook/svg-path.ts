/**
 * Length and points of an SVG path that is one straight line, as Plotly's arrows are. Reach for it where
 * Plotly asks a path in jsdom, which has no geometry, so as to put an arrow's head on.
 */
export function svgPath(d: string): { readonly length: number; at(distance: number): Point } {
  const numbers = (d.match(/-?\d+(\.\d+)?(e-?\d+)?/g) ?? []).map(Number);
  const [x0 = 0, y0 = 0] = numbers;
  const [x1 = x0, y1 = y0] = numbers.slice(-2);
  const length = Math.hypot(x1 - x0, y1 - y0);
  return {
    length,
    at(distance) {
      const part = length === 0 ? 0 : distance / length;
      return { x: x0 + (x1 - x0) * part, y: y0 + (y1 - y0) * part };
    },
  };
}

export interface Point {
  readonly x: number;
  readonly y: number;
}
