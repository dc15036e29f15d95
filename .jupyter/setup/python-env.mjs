// The project's own Python environment in .jupyter/env, made when something is needed that the machine lacks.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from './on-path.mjs';
import { envProgram, pythonEnv } from './paths.mjs';
import { runStep, StepError } from './run-step.mjs';

/**
 * Written when the environment is complete. It also keeps JupyterLab's scripts for Node from taking the
 * project's package.json, and so its `type`, for theirs.
 */
const marker = join(pythonEnv, 'package.json');

/**
 * Installs packages into it.
 * @param {string} title what is said while it runs
 * @param {string[]} requirements as pip takes them
 * @returns {Promise<string | undefined>} the environment's Python, or undefined if no Python here can make one
 * @throws {StepError} if pip fails
 */
export async function installInEnv(title, requirements) {
  const python = existsSync(marker) ? envProgram('python') : await makeEnv();
  if (!python) return undefined;
  // An index that does not answer is asked once: with pip's retries it held a set-up for four minutes.
  const options = ['--retries', '0', '--no-cache-dir', '--disable-pip-version-check', '--no-input'];
  await runStep(title, python, ['-m', 'pip', 'install', ...options, ...requirements]);
  return python;
}

/**
 * What helps where nothing could be installed: a Python that can make an environment, or else a network.
 * @param {string} [again] the command to repeat @default npm start
 * @returns {string}
 */
export function pythonHint(again = 'npm start') {
  if (existsSync(marker)) return `${again}, with a network`;
  if (process.platform === 'darwin') return 'brew install python';
  if (process.platform === 'win32') return 'winget install Python.Python.3.12';
  return 'sudo apt-get install python3-venv';
}

async function makeEnv() {
  for (const base of [...onPath('python3'), ...onPath('python')]) {
    try {
      await runStep(`Making a Python environment with ${base}`, base, ['-m', 'venv', pythonEnv]);
      writeFileSync(marker, '{ "type": "commonjs" }\n');
      return envProgram('python');
    } catch (error) {
      // Debian's Python comes without the module that puts pip into the environment: the next one may do.
      if (!(error instanceof StepError)) throw error;
      console.log(`  ${base} cannot make one.`);
      rmSync(pythonEnv, { recursive: true, force: true });
    }
  }
  return undefined;
}
