import type { Locator } from 'playwright-core';

/** How wide an output is; a picture that could not be drawn has no width. */
export interface Drawn {
  readonly width: number;
  /** Of the output area that it is in: what is wider has to be scrolled. */
  readonly room: number;
}

/** What the outputs of a notebook in JupyterLab look like. */
export class Shown {
  readonly #panel: Locator;

  constructor(panel: Locator) {
    this.#panel = panel;
  }

  /** Errors, and what came on stderr. */
  red(): Promise<string[]> {
    return this.#panel.locator('[data-mime-type$=".error"], [data-mime-type$=".stderr"]').allInnerTexts();
  }

  /** Formulas: the course has none, so each is a pair of dollar signs. */
  formulas(): Promise<string[]> {
    return this.#panel.locator('mjx-container').allInnerTexts();
  }

  /** Charts that are seen: interactive ones of Plotly, or their pictures. */
  charts(): Promise<Drawn[]> {
    return this.#drawn('.svg-container, img');
  }

  /** Where JupyterLab has Plotly's renderer, a picture becomes an interactive chart under the mouse. */
  async hoverChart(): Promise<void> {
    const picture = this.#panel.locator('.jp-RenderedPlotly .plot-img:visible').first();
    if ((await picture.count()) === 0) return;
    const charts = this.#panel.locator('.jp-RenderedPlotly .svg-container:visible');
    const before = await charts.count();
    // Not hover(), which waits for a picture that stays: this one goes as soon as the mouse is there.
    await picture.dispatchEvent('mouseenter');
    await charts.nth(before).waitFor();
  }

  tables(): Promise<Drawn[]> {
    return this.#drawn('table');
  }

  /** Cells of tables that do not stand on the side on which their table has them. */
  misaligned(): Promise<string[]> {
    return this.#panel
      .locator('.jp-OutputArea-output :is(td, th)[align]')
      .evaluateAll((elements: Element[]) =>
        elements
          .filter((cell) => getComputedStyle(cell).textAlign !== cell.getAttribute('align'))
          .map((cell) => cell.outerHTML),
      );
  }

  #drawn(selector: string): Promise<Drawn[]> {
    const all = this.#panel.locator(`.jp-OutputArea-output :is(${selector}):visible`);
    return all.evaluateAll((elements: Element[]) =>
      elements.map((element) => ({
        width: element.naturalWidth === 0 ? 0 : element.getBoundingClientRect().width,
        room: element.closest('.jp-OutputArea-output')?.clientWidth ?? 0,
      })),
    );
  }
}

/** The little of the page's side that is used here; the project's types are Node's. */
export interface Element {
  readonly naturalWidth?: number;
  readonly scrollHeight: number;
  readonly clientWidth: number;
  readonly outerHTML: string;
  closest(selector: string): Element | null;
  getBoundingClientRect(): { readonly width: number };
  getAttribute(name: string): string | null;
  scrollTo(left: number, top: number): void;
}
declare const getComputedStyle: (element: Element) => { readonly textAlign: string };
