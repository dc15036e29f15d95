// `npm test`: set-up, then everything that is checked. A step that fails does not stop the later ones; the
// last line alone is `N passed, N failed`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeLinesReport } from './code-lines.mjs';
import { findNotebooks } from './headless/find-notebooks.mjs';
import { runNotebooks } from './headless/run-notebooks.mjs';
import { data, modules, root, runtime } from './setup/paths.mjs';
import { setUp } from './setup.mjs';

const biome = join(modules, '@biomejs', 'biome', 'bin', 'biome');
const compiler = join(modules, 'typescript', 'bin', 'tsc');
const vitest = [join(modules, 'vitest', 'vitest.mjs'), 'run', '--config', join('test', 'vitest.config.ts')];
const vitestReport = join(data, 'vitest.json');

const { python } = await setUp();
const patterns = process.argv.slice(2);
process.exitCode = patterns.length > 0 ? await runNode([...vitest, ...patterns]) : await testAll();

async function testAll() {
  const results = [
    await runTool('Lint', [biome, 'check', '--config-path=.biome.json', '.']),
    await runTool('Types', [compiler, '-p', 'test']),
    await runTests(),
    await runEveryNotebook('Notebooks', {}),
    await runEveryNotebook('Notebooks, offline', { label: 'offline', env: { OFFLINE: 'true' } }),
  ];
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  console.log(`\n${codeLinesReport()}\n\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function runTool(title, args) {
  announce(title);
  const code = await runNode(args);
  console.log(code === 0 ? `✓ ${title}` : `✗ ${title}, exit code ${code}`);
  return count(code === 0);
}

async function runTests() {
  announce('Tests');
  mkdirSync(data, { recursive: true });
  rmSync(vitestReport, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`];
  const code = await runNode([...vitest, ...reporters]);
  if (!existsSync(vitestReport)) {
    console.log(`✗ Tests ended without a report, exit code ${code}`);
    return count(false);
  }
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(vitestReport, 'utf8'));
  // A file that does not load or an error between tests fails the run and is no failed test; neither is
  // a run that found no test.
  const unnamed = numFailedTests === 0 && (code !== 0 || numPassedTests === 0) ? 1 : 0;
  return { passed: numPassedTests, failed: numFailedTests + unnamed };
}

async function runEveryNotebook(title, options) {
  announce(title);
  if (!python) return count(false);
  try {
    const outcomes = await runNotebooks(findNotebooks([]), { python, ...options });
    const failed = outcomes.filter(({ failure }) => failure).length;
    return { passed: outcomes.length - failed, failed };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.log(`✗ ${error.message}`);
    return count(false);
  }
}

function announce(title) {
  console.log(`\n── ${title}`);
}

async function runNode(args) {
  // The linter's cache; without this it goes to the home directory.
  const env = { ...process.env, XDG_CACHE_HOME: join(runtime, 'cache') };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code, signal] = await once(child, 'close');
  return code ?? signal;
}

function count(good) {
  return good ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}
