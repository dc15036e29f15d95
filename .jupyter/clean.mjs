// `npm run clean`: removes all that set-up and runs made, and nothing that is tracked.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isAlive } from './setup/lock.mjs';
import { build, data, modules, pythonEnv, root, runtime } from './setup/paths.mjs';

const HELP = `npm run clean -- [--dry-run]

Removes packages, build output, the project's Python environment, executed notebooks and all data.
  --dry-run  only says what would be removed`;

const words = process.argv.slice(2);
const users = openWorkspaces();
if (words.some((word) => ['--help', '-h'].includes(word))) {
  console.log(HELP);
} else if (users.length > 0) {
  console.error(`In use, so nothing was removed: ${users.join(', ')}. Close the notebook or command first.`);
  process.exitCode = 1;
} else {
  for (const folder of [modules, build, data, pythonEnv, runtime].filter((path) => existsSync(path))) {
    const shown = relative(root, folder);
    console.log(words.includes('--dry-run') ? `Would remove ${shown}` : `Removing ${shown}`);
    if (!words.includes('--dry-run')) rmSync(folder, { recursive: true, force: true });
  }
}

/** Workspaces whose lock names a process that lives. */
function openWorkspaces() {
  if (!existsSync(data)) return [];
  return readdirSync(data)
    .map((name) => ({ name, lock: join(data, name, 'lock') }))
    .filter(({ lock }) => existsSync(lock))
    .map(({ name, lock }) => ({ name, pid: JSON.parse(readFileSync(lock, 'utf8')).pid }))
    .filter(({ pid }) => isAlive(pid))
    .map(({ name, pid }) => `.data/${name} (process ${pid})`);
}
