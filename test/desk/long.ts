import { readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotebookPage } from './notebook-page.js';
import { type Lab, startLab } from './start-lab.js';

const { DESK_BROWSER = '', DESK_NOTEBOOKS = '[]' } = process.env;
const files: string[] = JSON.parse(DESK_NOTEBOOKS);
const pictures = fileURLToPath(new URL('../../.data/desk/', import.meta.url));
const photograph = (name: string) => page.screenshot({ path: join(pictures, `${name}.png`) });
let lab: Lab;
let browser: Browser;
let page: Page;
let notebook: NotebookPage;

beforeAll(async () => {
  rmSync(pictures, { recursive: true, force: true });
  process.stdout.write(`screenshots: ${pictures}\n`);
  lab = await startLab(files);
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  browser = await chromium.launch({ executablePath: DESK_BROWSER, args: asRoot });
  page = await browser.newPage({ viewport: { width: 1_280, height: 900 } });
  page.setDefaultTimeout(120_000);
  notebook = new NotebookPage(page);
  await page.goto(lab.address);
});
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
});

describe('a new notebook', () => {
  const cell = () => notebook.cells.first();

  it('is opened with the kernel that the launcher lists', async () => {
    const cards = page.locator('.jp-LauncherCard[data-category="Notebook"]');
    const card = cards.filter({ hasText: 'TypeScript (meterbridge)' });
    await card.waitFor();
    await photograph('launcher');
    await card.click();
    await notebook.ready();
  });

  it('answers a cell, and answers anew when it was edited', async () => {
    expect(await notebook.answer(cell(), 'import { formatUsd } from "meterbridge";\n6 * 6')).toBe('36');
    expect(await notebook.answer(cell(), 'formatUsd(4_722_999_700n)')).toBe('47.22999700');
  });

  it('completes the names of the library', async () => {
    await notebook.answer(cell(), 'import { printCheck, printReport, table } from "meterbridge/notebook";');
    await notebook.edit(cell(), 'print');
    await page.keyboard.press('Tab');
    const names = page.locator('.jp-Completer');
    await names.waitFor();
    await photograph('completion');
    expect(await names.locator('.jp-Completer-item').allInnerTexts()).toEqual(['printCheck', 'printReport']);
    await page.keyboard.press('Escape');
  });

  it('shows their documentation', async () => {
    await notebook.edit(cell(), 'table');
    await page.keyboard.press('Shift+Tab');
    const tooltip = page.locator('.jp-Tooltip');
    await tooltip.waitFor();
    await photograph('documentation');
    expect(await tooltip.textContent()).toContain('Shows rows, or a frame, as a table.');
    await page.keyboard.press('Escape');
  });

  it.each(['await new Promise(() => {});', 'while (true);'])(
    'ends %s when it is interrupted, and answers',
    async (code) => {
      await notebook.start(cell(), code);
      await notebook.interrupt();
      expect(await notebook.shown.red()).toEqual(['Interrupted: The cell was interrupted.']);
      expect(await notebook.answer(cell(), '6 * 7')).toBe('42');
    },
  );

  it('begins anew when its kernel is restarted', async () => {
    await notebook.choose('Kernel', /^Restart Kernel…/);
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await page.locator('#jp-main-statusbar', { hasText: /\| (?!Idle)/ }).waitFor();
    await notebook.ready();
    expect(await notebook.answer(cell(), 'formatUsd(1n)')).toContain("Cannot find name 'formatUsd'");
    await photograph('restarted');
  });
});

describe.each(files.map((file) => [basename(file), file]))('%s', (name, file) => {
  const outputs: { data?: Record<string, unknown> }[] = JSON.parse(readFileSync(file, 'utf8')).cells.flatMap(
    (cell: { outputs?: object[] }) => cell.outputs ?? [],
  );
  const kept = (type: string) => outputs.filter(({ data }) => data?.[type] !== undefined).length;

  it('opens, and runs from its first cell to its last without a red one', async () => {
    await page.locator('.jp-DirListing-item', { hasText: name }).dblclick();
    await page.locator('.lm-TabBar-tab.jp-mod-current', { hasText: name.slice(0, 20) }).waitFor();
    await notebook.ready();
    await notebook.choose('Run', /^Run All Cells/);
    await notebook.settled();
    await notebook.photograph(join(pictures, basename(name, '.ipynb')));
    expect(await notebook.shown.red()).toEqual([]);
  });

  it('shows every chart and table, none wider than the page', async () => {
    const [charts, tables] = [await notebook.shown.charts(), await notebook.shown.tables()];
    expect([charts.length, tables.length]).toEqual([kept('image/png'), kept('text/html')]);
    for (const { width, room } of [...charts, ...tables]) {
      expect(width).toBeGreaterThan(0);
      expect(width).toBeLessThanOrEqual(room);
    }
    expect(await notebook.shown.misaligned()).toEqual([]);
  });

  it('makes a chart answer the mouse', async () => {
    await notebook.shown.hoverChart();
    expect(await notebook.shown.charts()).toHaveLength(kept('image/png'));
  });

  it('takes no dollar sign for a formula', async () => {
    expect(await notebook.shown.formulas()).toEqual([]);
  });

  it('answers an edited cell', async () => {
    expect(await notebook.answer(notebook.cells.last(), '6 * 7')).toBe('42');
  });
});
