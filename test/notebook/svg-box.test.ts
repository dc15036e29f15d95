import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { type SvgElement, svgBox } from '../../src/notebook/svg-box.js';
import { svgPath } from '../../src/notebook/svg-path.js';
import { textWidth } from '../../src/notebook/text-width.js';

const { JSDOM } = createRequire(import.meta.url)('jsdom') as {
  JSDOM: new (html: string) => { window: { document: { querySelector(selector: string): SvgElement } } };
};

function boxOf(markup: string): number[] {
  const { document } = new JSDOM(`<svg>${markup}</svg>`).window;
  const { left, top, right, bottom } = svgBox(document.querySelector('svg'));
  return [left, top, right, bottom].map((side) => Math.round(side * 10) / 10 + 0);
}

it('textWidth() knows narrow letters from wide ones', () => {
  expect(textWidth('Illi', 10)).toBeCloseTo(11.3);
  expect(textWidth('WWWW', 10)).toBeCloseTo(39.6);
});

it('svgBox() measures text from its anchor', () => {
  expect(boxOf('<text x="100" y="20" style="font-size: 10px">0000</text>')).toEqual([100, 10.7, 125.6, 22.4]);
  expect(boxOf('<text x="100" y="20" text-anchor="end" style="font-size: 10px">0000</text>')[2]).toBe(100);
});

it('svgBox() counts lines', () => {
  const lines = '<tspan class="line">00</tspan><tspan class="line">0000</tspan>';
  expect(boxOf(`<text x="0" y="0" style="font-size: 10px">${lines}</text>`)).toEqual([0, -9.3, 25.6, 15.4]);
});

it('svgBox() follows a turned label', () => {
  const text =
    '<text x="5" y="0" transform="translate(10,0) rotate(90,5,0)" style="font-size: 10px">0000</text>';
  expect(boxOf(`<g>${text}</g>`)).toEqual([12.6, 0, 24.3, 25.6]);
});

it('svgPath() walks a straight line', () => {
  const line = svgPath('M10,10L40,50');
  expect(line.length).toBe(50);
  expect(line.at(25)).toEqual({ x: 25, y: 30 });
});
