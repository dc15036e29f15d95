// `npm run clean`: removes all that set-up and runs made, and nothing that is tracked.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readFlags } from './setup/flags.mjs';
import { isAlive } from './setup/lock.mjs';
import { build, data, modules, pythonEnv, root, runtime } from './setup/paths.mjs';

const HELP = `npm run clean -- [--dry-run]

Removes packages, build output, the project's Python environment, executed notebooks and all data.
  --dry-run  only says what would be removed`;

const flags = readFlags('dry-run', 'help');
const users = openWorkspaces();
if (flags.help) {
  console.log(HELP);
} else if (users.length > 0) {
  console.error(`In use, so nothing was removed: ${users.join(', ')}. Close the notebook or command first.`);
  process.exitCode = 1;
} else {
  for (const folder of [modules, build, data, pythonEnv, runtime].filter((path) => existsSync(path))) {
    const shown = relative(root, folder);
    console.log(flags['dry-run'] ? `Would remove ${shown}` : `Removing ${shown}`);
    if (!flags['dry-run']) rmSync(folder, { recursive: true, force: true });
  }
}

/** Workspaces whose lock names a process that lives. */
function openWorkspaces() {
  if (!existsSync(data)) return [];
  return readdirSync(data)
    .map((name) => ({ name, lock: join(data, name, 'lock') }))
    .filter(({ lock }) => existsSync(lock))
    .map(({ name, lock }) => ({ name, pid: ownerOf(lock) }))
    .filter(({ pid }) => isAlive(pid))
    .map(({ name, pid }) => `.data/${name} (process ${pid})`);
}

/** The process id in a workspace's lock; undefined for one that was torn when its owner was killed. */
function ownerOf(lock) {
  try {
    return JSON.parse(readFileSync(lock, 'utf8'))?.pid;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
