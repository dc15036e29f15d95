import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type Element, Shown } from './shown.js';

/** Longer than any notebook takes on two busy cores. */
const RUN_MS = 400_000;
const LOOK_AGAIN_MS = 250;
/** Looks, so five seconds. */
const INTERRUPT_EVERY = 20;
const WINDOW = { width: 1_280, height: 900 };
/** Of the notebook on one screenshot, in a window that is a little higher. */
const SLICE_HEIGHT = 1_500;

/** A notebook in JupyterLab's main area, in the words of the person before it. */
export class NotebookPage {
  readonly shown: Shown;
  readonly #panel: Locator;

  constructor(readonly page: Page) {
    this.#panel = page.locator('.jp-NotebookPanel:visible');
    this.shown = new Shown(this.#panel);
  }

  get cells(): Locator {
    return this.#panel.locator('.jp-CodeCell');
  }

  /** Waits until the kernel answers: what is run before that JupyterLab does not run. */
  async ready(): Promise<void> {
    await this.cells.first().waitFor();
    const status = this.page.locator('#jp-main-statusbar', { hasText: 'TypeScript (meterbridge) | Idle' });
    await status.waitFor();
  }

  /** Chooses an item in the menu bar, e.g. Kernel, Interrupt Kernel. */
  async choose(menu: string, item: RegExp): Promise<void> {
    await this.page.locator('.lm-MenuBar-item', { hasText: new RegExp(`^${menu}$`) }).click();
    await this.page.locator('.lm-Menu-item:visible', { hasText: item }).first().click();
  }

  /** Puts code into a cell in place of its own; the cursor is at its end. */
  async edit(cell: Locator, code: string): Promise<void> {
    await cell.locator('.cm-content').click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.insertText(code);
  }

  /** Puts code into a cell and runs it, and gives what it shows at its end. */
  async answer(cell: Locator, code: string): Promise<string> {
    await this.start(cell, code);
    await this.settled();
    return (await cell.locator('.jp-OutputArea-output').allInnerTexts()).join('\n').trim();
  }

  /** Puts code into a cell and runs it, until it is seen to run or to have run. */
  async start(cell: Locator, code: string): Promise<void> {
    await this.edit(cell, code);
    const prompt = cell.locator('.jp-InputPrompt');
    const before = (await prompt.textContent()) ?? '';
    await this.page.keyboard.press('ControlOrMeta+Enter');
    await prompt.filter({ hasNotText: before }).waitFor();
  }

  /** Interrupt Kernel, again every few seconds: one that comes before the kernel has the cell ends nothing. */
  async interrupt(): Promise<void> {
    const running = this.cells.locator('.jp-InputPrompt', { hasText: '[*]' });
    for (let look = 0; (await running.count()) > 0; look += 1) {
      if (look % INTERRUPT_EVERY === 0) await this.choose('Kernel', /^Interrupt Kernel/);
      if (look > 10 * INTERRUPT_EVERY) throw new Error('The cell still runs, ten times interrupted.');
      await this.page.waitForTimeout(LOOK_AGAIN_MS);
    }
  }

  /** Waits until no cell runs or waits, and those with code have their number or something is red. */
  async settled(): Promise<void> {
    const end = performance.now() + RUN_MS;
    for (;;) {
      const prompts = await this.cells.locator('.jp-InputPrompt').allTextContents();
      const codes = await this.cells.locator('.cm-content').allTextContents();
      const isRun = (prompt: string, at: number) => /\d/.test(prompt) || codes[at] === '';
      const isRed = (await this.shown.red()).length > 0;
      if (!prompts.some((prompt) => prompt.includes('*')) && (isRed || prompts.every(isRun))) return;
      if (performance.now() > end) throw new Error(`After ${RUN_MS / 1_000} s: ${prompts.join(' ')}`);
      await this.page.waitForTimeout(LOOK_AGAIN_MS);
    }
  }

  /** Pictures of the whole notebook, a screen each. */
  async photograph(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    await this.page.setViewportSize({ ...WINDOW, height: SLICE_HEIGHT + 150 });
    const scroller = this.#panel.locator('.jp-WindowedPanel-outer');
    const height = await scroller.evaluate((element: Element) => element.scrollHeight);
    for (let top = 0, number = 1; top < height; top += SLICE_HEIGHT, number += 1) {
      await scroller.evaluate((element: Element, to: number) => element.scrollTo(0, to), top);
      await this.page.screenshot({ path: join(folder, `${String(number).padStart(2, '0')}.png`) });
    }
    await this.page.setViewportSize(WINDOW);
  }
}
