// `npm test`: set-up, then everything that is checked. A step that fails does not stop the later ones; the
// last line alone is `N passed, N failed`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { codeLinesReport } from './code-lines.mjs';
import { compareOutputs } from './headless/compare-outputs.mjs';
import { findNotebooks, findSolutions } from './headless/find-notebooks.mjs';
import { runNotebooks } from './headless/run-notebooks.mjs';
import { changingSettings } from './headless/settings.mjs';
import { data, modules, root, runtime } from './setup/paths.mjs';
import { setUp } from './setup.mjs';

const biome = join(modules, '@biomejs', 'biome', 'bin', 'biome');
const compiler = join(modules, 'typescript', 'bin', 'tsc');
const vitest = [join(modules, 'vitest', 'vitest.mjs'), 'run', '--config', join('test', 'vitest.config.ts')];
const vitestReport = join(data, 'vitest.json');

const { python, services } = await setUp();
const patterns = process.argv.slice(2);
process.exitCode = patterns.length > 0 ? await runNode([...vitest, ...patterns]) : await testAll();

async function testAll() {
  const results = [
    await runTool('Lint', [biome, 'check', '--config-path=.biome.json', '.']),
    await runTool('Types', [compiler, '-p', 'test']),
    await runTests(),
    await runEveryNotebook('Notebooks', {}, compareWithCommitted),
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

/** `check` may add to what failed: it gets each notebook that ran through, and its executed copy. */
async function runEveryNotebook(title, options, check = () => []) {
  announce(title);
  if (!python) return count(false);
  try {
    const files = [...findNotebooks([]), ...findSolutions()];
    // On servers that are shared they keep their order.
    const atOnce = changingSettings().length > 0 ? 1 : 2;
    const outcomes = await runNotebooks(files, { python, atOnce, ...options });
    const results = outcomes.map(({ failure, file, copy }) => {
      const complaints = failure ? [] : check(file, copy);
      return { passed: failure || complaints.length > 0 ? 0 : 1, failed: failure ? 1 : complaints.length };
    });
    return results.reduce((sum, { passed, failed }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
    }));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.log(`✗ ${error.message}`);
    return count(false);
  }
}

/** A committed notebook shows what a run with the embedded services prints. */
function compareWithCommitted(file, copy) {
  const name = basename(file, '.ipynb');
  const reason = changingSettings().join(', ') || (services ? '' : 'a service is missing here');
  if (reason) {
    console.log(`  ${name}: outputs are not compared with the committed ones (${reason})`);
    return [];
  }
  const [committed, executed] = [file, copy].map((path) => JSON.parse(readFileSync(path, 'utf8')));
  const complaints = compareOutputs(committed, executed);
  for (const complaint of complaints) console.log(`✗ ${name}: ${complaint}`);
  return complaints;
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
