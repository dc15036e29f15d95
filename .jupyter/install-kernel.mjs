// `npm run kernel`: makes the kernel known to a Jupyter or VS Code of your own. It writes one small file into
// your Jupyter data folder, outside the project, and says where.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readFlags } from './setup/flags.mjs';
import { onPath } from './setup/on-path.mjs';
import { root } from './setup/paths.mjs';

const HELP = `npm run kernel -- [--dry-run] [--remove]

Makes the kernel "TypeScript (meterbridge)" known to Jupyter and VS Code on this machine.
  --dry-run  only says what would be written and where
  --remove   takes it away again`;

const values = readFlags('dry-run', 'remove', 'help');
const kernelFile = join(root, '.jupyter', 'kernel.cjs');
// Named as in the notebooks, so that they open with it.
const folder = join(jupyterDataFolder(), 'kernels', 'tslab');
const spec = join(folder, 'kernel.json');

if (values.help) console.log(HELP);
else if (isForeign()) refuse();
else if (values.remove) remove();
else install();

function install() {
  const template = JSON.parse(
    readFileSync(join(root, '.jupyter', 'kernels', 'tslab', 'kernel.json'), 'utf8'),
  );
  const argv = [process.execPath, kernelFile, ...template.argv.slice(2)];
  const text = `${JSON.stringify({ ...template, argv }, null, 2)}\n`;
  if (values['dry-run']) {
    console.log(`Would write ${spec}:\n${text}`);
    return;
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(spec, text);
  console.log(
    `Wrote ${spec}\nChoose the kernel "${template.display_name}"; npm run kernel -- --remove takes it away.`,
  );
}

function remove() {
  if (!existsSync(spec)) console.log(`Nothing to remove: there is no ${spec}`);
  else if (values['dry-run']) console.log(`Would remove ${folder}`);
  else {
    rmSync(folder, { recursive: true });
    console.log(`Removed ${folder}`);
  }
}

/** A kernel of that name which another tslab put there is not ours to change. */
function isForeign() {
  return existsSync(spec) && JSON.parse(readFileSync(spec, 'utf8')).argv[1] !== kernelFile;
}

function refuse() {
  console.error(
    `Another kernel named "tslab" is in ${folder}: remove that folder first if it is not needed.`,
  );
  process.exitCode = 1;
}

function jupyterDataFolder() {
  const [jupyter] = onPath('jupyter');
  if (jupyter) return execFileSync(jupyter, ['--data-dir'], { encoding: 'utf8' }).trim();
  const { APPDATA, JUPYTER_DATA_DIR, XDG_DATA_HOME } = process.env;
  if (JUPYTER_DATA_DIR) return JUPYTER_DATA_DIR;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Jupyter');
  if (process.platform === 'win32') return join(APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'jupyter');
  return join(XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'jupyter');
}
