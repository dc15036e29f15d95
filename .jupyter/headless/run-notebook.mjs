// Runs one notebook without a browser and tells how it went. A cell that throws, a type error, a rejection
// nobody awaited (after the last cell too), a kernel that ended, a time-out and a last line of readiness that
// tells of a failed check all count as failed.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { jupyterEnvironment } from '../setup/environment.mjs';
import { data, runtime } from '../setup/paths.mjs';

const SCRIPT = fileURLToPath(new URL('execute.py', import.meta.url));
const READY = /\d+\/\d+ (checks )?ready[^\n]*/g;

/**
 * @typedef {object} Failure
 * @property {number} [cell] the execution number of the cell in question
 * @property {string} [source] its source
 * @property {string} message
 *
 * @typedef {object} Outcome
 * @property {string} file the notebook
 * @property {string} name its name, without its ending
 * @property {number} cells how many cells with code it has
 * @property {string} [ready] the last line of readiness that it printed
 * @property {number} seconds
 * @property {string} copy path of the executed copy
 * @property {Failure} [failure]
 */

/**
 * @param {string} file
 * @param {object} options
 * @param {string} options.python that has nbclient, see setUp()
 * @param {number} [options.cellSeconds] time-out of one cell @default 120
 * @param {boolean} [options.write] keep the outputs in the notebook itself @default false
 * @param {NodeJS.ProcessEnv} [options.env] added to the environment @default {}
 * @param {string} [options.label] put into the copy's name, for a second run of the same notebook
 * @param {(cell: number, of: number) => void} [options.onCell] called before each cell
 * @returns {Promise<Outcome>}
 */
export async function runNotebook(file, options) {
  const { python, cellSeconds = 120, write = false, env = {}, label, onCell = () => {} } = options;
  const began = Date.now();
  const name = basename(file, '.ipynb');
  const copy = join(data, 'executed', `${label ? `${name}.${label}` : name}.ipynb`);
  const lateErrors = join(runtime, `errors-${randomUUID()}`);
  const child = spawn(python, [SCRIPT, file, copy, `${cellSeconds}`, ...(write ? ['--write'] : [])], {
    env: { ...jupyterEnvironment(), ...env, MB_KERNEL_ERRORS: lateErrors },
    // A group of its own: Ctrl-C reaches it through us, once.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const forward = (signal) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);

  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
  }
  let cells = 0;
  let end;
  createInterface({ input: child.stdio[3] }).on('line', (line) => {
    const event = JSON.parse(line);
    if (event.done) end = event;
    else {
      cells = event.of;
      onCell(event.cell, event.of);
    }
  });
  const [code] = await once(child, 'close');
  process.off('SIGINT', forward).off('SIGTERM', forward);

  const ready = readiness(copy);
  return {
    file,
    name,
    cells,
    ready,
    seconds: (Date.now() - began) / 1000,
    copy,
    failure: failureOf(end, code, log, takeFile(lateErrors)) ?? redReport(ready),
  };
}

function failureOf(end, code, log, lateErrors) {
  const withLog = (message) => (log.trim() ? `${message}\n${log.trimEnd()}` : message);
  if (!end) return { message: withLog(`The runner ended with exit code ${code}.`) };
  if (end.failure) return { ...end.failure, message: withLog(end.failure.message) };
  if (!lateErrors) return undefined;
  return {
    message: `An error came up after the last cell, and no cell awaited it.\n${lateErrors.trimEnd()}`,
  };
}

/** Checks that fail are no errors of their cell; earlier lines may show what a check says of a fault. */
function redReport(ready) {
  if (!ready?.includes('failed')) return undefined;
  return { message: `The notebook ran through, and its last report is red: ${ready}` };
}

function takeFile(file) {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  rmSync(file);
  return text;
}

function readiness(copy) {
  if (!existsSync(copy)) return undefined;
  const outputs = JSON.parse(readFileSync(copy, 'utf8')).cells.flatMap((cell) => cell.outputs ?? []);
  const texts = outputs.map((output) => [output.text ?? output.data?.['text/plain'] ?? []].flat().join(''));
  return texts.flatMap((text) => text.match(READY) ?? []).at(-1);
}
