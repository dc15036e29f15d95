// A Python that can execute notebooks: the project's own, the machine's, or one that is made here.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { canInstallDebian, installDebian } from './debian.mjs';
import { onPath } from './on-path.mjs';
import { envProgram } from './paths.mjs';
import { installInEnv, pythonHint } from './python-env.mjs';
import { StepError } from './run-step.mjs';

// A range, since each Python takes its newest: 0.11 from Python 3.10 on, 0.10 on 3.9.
const REQUIREMENTS = ['nbclient>=0.10,<0.12'];
const DEBIAN = ['python3-nbclient', 'python3-nbformat', 'python3-jupyter-client'];

/** @returns {Promise<{ python?: string, complaint?: string }>} the Python, or the sentence to say */
export async function findOrInstallJupyter() {
  for (const install of [async () => {}, fromPython, fromDebian]) {
    try {
      await install();
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      console.log(error.message);
    }
    const python = candidates().find(canExecute);
    if (python) return { python };
  }
  return {
    complaint: `Notebooks cannot be run: no Jupyter could be installed; this would help: ${pythonHint()}`,
  };
}

async function fromPython() {
  await installInEnv('Installing Jupyter (nbclient) into .jupyter/env', REQUIREMENTS);
}

async function fromDebian() {
  if (canInstallDebian()) await installDebian(DEBIAN);
}

function candidates() {
  const machine = [...onPath('python3'), ...onPath('jupyter').map(interpreterOf)];
  return [...new Set([envProgram('python'), ...machine])].filter((place) => place && existsSync(place));
}

/** The Python that a `jupyter` script names in its first line. */
function interpreterOf(script) {
  return /^#!\s*(\S*python\S*)/.exec(readFileSync(script, 'utf8'))?.[1];
}

function canExecute(python) {
  try {
    execFileSync(python, ['-c', 'import nbclient, nbformat, jupyter_client'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (typeof error.status === 'number' || error.code === 'ENOENT') return false;
    throw error;
  }
}
