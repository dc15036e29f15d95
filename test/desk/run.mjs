// A learner's hour in JupyterLab, with a real browser; exit code 1 when something is not as it should be.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findNotebooks } from '../../.jupyter/headless/find-notebooks.mjs';
import { onPath } from '../../.jupyter/setup/on-path.mjs';
import { setUp } from '../../.jupyter/setup.mjs';

const HELP = `npm run desk -- [NAME…]

Starts JupyterLab with npm run lab and drives it with headless Chromium: the kernel in the launcher, a cell that is
edited, interrupted, completed and explained, a restarted kernel, then each notebook of the course from its first
cell to its last, on copies. Screenshots go to .data/desk/. About five minutes, and two more when JupyterLab has to
be installed.
  NAME  a file, or a part of a notebook's name; without any: all, the solutions too

DESK_BROWSER names the browser's program where none is on PATH.`;
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

try {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values.help) console.log(HELP);
  else process.exitCode = await run(positionals);
} catch (error) {
  if (!(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function run(names) {
  const files = findNotebooks(names.length > 0 ? names : ['']);
  const browser = findBrowser();
  await setUp();
  const config = ['--config', 'test/desk/vitest.config.ts', '--disable-console-intercept'];
  return spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...config], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: 'inherit',
    env: { ...process.env, DESK_BROWSER: browser, DESK_NOTEBOOKS: JSON.stringify(files) },
  }).status;
}

/** A run without a browser would have shown nothing, so it is none. */
function findBrowser() {
  const { DESK_BROWSER } = process.env;
  if (DESK_BROWSER && !existsSync(DESK_BROWSER)) {
    throw new RangeError(`DESK_BROWSER names ${DESK_BROWSER}, and there is no such file.`);
  }
  const browser = DESK_BROWSER || BROWSERS.flatMap((name) => onPath(name))[0];
  if (browser) return browser;
  throw new RangeError(
    'npm run desk needs Chromium or Chrome, and none is on PATH. Install one (Debian: apt-get install chromium),\n' +
      'or name its program: DESK_BROWSER=/path/to/chrome npm run desk',
  );
}
