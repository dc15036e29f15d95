import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderChart } from '../../src/notebook/render-chart.js';

const figure = {
  data: [
    { type: 'bar', x: ['a', 'b'], y: [1, 2], name: 'tokens in' },
    { type: 'bar', x: ['a', 'b'], y: [2, 1], name: 'tokens out' },
  ],
  layout: { width: 400, height: 300, title: { text: 'Usage' } },
};

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
let folder = '';

/** The drawing code, compiled, so that processes without vitest can run it. */
beforeAll(async () => {
  mkdirSync(join(root, '.build'), { recursive: true });
  folder = mkdtempSync(join(root, '.build', 'render-chart-'));
  const compilerOptions = {
    rootDir: join(root, 'src'),
    outDir: folder,
    declaration: false,
    declarationMap: false,
  };
  const include = [join(root, 'src', 'notebook', 'render-chart.ts')];
  const config = join(folder, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include }));
  writeFileSync(
    join(folder, 'draw.mjs'),
    `import { createHash } from 'node:crypto';
     import { renderChart } from './notebook/render-chart.js';
     const png = await renderChart(${JSON.stringify(figure)});
     console.log(createHash('sha256').update(png).digest('hex'));`,
  );
  await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', config]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('renderChart()', () => {
  it('gives a PNG of one and a half times the size', async () => {
    const png = await renderChart(figure);
    expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([600, 450]);
    expect(png.length).toBeLessThan(15_000);
  });

  it('gives the same bytes again, also side by side', async () => {
    const [first, second] = await Promise.all([renderChart(figure), renderChart(figure)]);
    expect(first.equals(second)).toBe(true);
    expect(first.equals(await renderChart(figure))).toBe(true);
  });

  it('gives the same bytes in every process and time zone, and lets it end', async () => {
    const draw = (TZ: string) =>
      run(process.execPath, [join(folder, 'draw.mjs')], { env: { ...process.env, TZ }, timeout: 20_000 });
    const [here, there] = await Promise.all([draw('UTC'), draw('America/New_York')]);
    expect(here.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(there.stdout).toBe(here.stdout);
  });

  it('says in one sentence what Plotly refuses', async () => {
    await expect(renderChart({ ...figure, layout: { width: 0, height: 300 } })).rejects.toThrow(
      /^Cannot draw the chart: Plotly says .*width.*$/,
    );
  });
});
