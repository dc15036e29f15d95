// `npm run lab`: JupyterLab on the notebooks, with the project's kernel. The one on PATH if it is new enough,
// else one in the project's own Python environment.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { jupyterEnvironment } from './setup/environment.mjs';
import { onPath } from './setup/on-path.mjs';
import { envProgram, notebooks, root } from './setup/paths.mjs';
import { installInEnv, pythonHint } from './setup/python-env.mjs';
import { StepError } from './setup/run-step.mjs';
import { setUp } from './setup.mjs';

const HELP = `npm run lab -- [ARGUMENTS OF JUPYTERLAB]

Opens JupyterLab on notebooks/ with the project's kernel. Where PATH has no JupyterLab 4 or newer, it is
installed into .jupyter/env. For instance: npm run lab -- --no-browser --port 8890`;
const OLDEST = 4;
/** The second draws charts that answer the mouse; without it JupyterLab shows their pictures. */
const REQUIREMENTS = ['jupyterlab>=4,<5', 'plotly>=6,<8'];
/** Given twice, JupyterLab takes neither. */
const FOLDER = /^--(ServerApp\.root_dir|notebook-dir)=/;

const args = process.argv.slice(2);
if (args.some((word) => ['--help', '-h'].includes(word))) {
  console.log(HELP);
} else {
  await setUp();
  const lab = await findOrInstallLab();
  if (lab) open(lab);
  else process.exitCode = 1;
}

function open(lab) {
  const rootAllowed = process.getuid?.() === 0 ? ['--allow-root'] : [];
  const where = existsSync(notebooks) ? notebooks : root;
  const folder = args.some((word) => FOLDER.test(word)) ? [] : [`--ServerApp.root_dir=${where}`];
  const env = jupyterEnvironment();
  const style = join(env.JUPYTER_CONFIG_DIR, 'custom');
  mkdirSync(style, { recursive: true });
  copyFileSync(join(root, '.jupyter', 'lab.css'), join(style, 'custom.css'));
  const child = spawn(lab, ['--LabApp.custom_css=True', ...folder, ...rootAllowed, ...args], {
    env,
    stdio: 'inherit',
  });
  // The terminal sends Ctrl-C to JupyterLab too, which asks before it ends: we end when it does.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
}

async function findOrInstallLab() {
  const found = [envProgram('jupyter-lab'), ...onPath('jupyter-lab')].find(isNewEnough);
  if (found) return found;
  try {
    await installInEnv('Installing JupyterLab into .jupyter/env (about 180 MB)', REQUIREMENTS);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.error(error.message);
  }
  if (isNewEnough(envProgram('jupyter-lab'))) return envProgram('jupyter-lab');
  console.error(`JupyterLab could not be installed; this would help: ${pythonHint('npm run lab')}`);
  return undefined;
}

function isNewEnough(lab) {
  if (!existsSync(lab)) return false;
  try {
    const version = execFileSync(lab, ['--version'], { encoding: 'utf8', env: jupyterEnvironment() });
    return Number.parseInt(version, 10) >= OLDEST;
  } catch (error) {
    // One that does not start is as good as none.
    if (typeof error.status === 'number' || error.code === 'ENOENT') return false;
    throw error;
  }
}
