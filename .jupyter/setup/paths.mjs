// The folders that set-up fills, all inside the project.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const modules = join(root, 'node_modules');
export const build = join(root, '.build');
export const data = join(root, '.data');
export const notebooks = join(root, 'notebooks');
/** The project's own Python: Jupyter, and the Redis server where the machine has none. */
export const pythonEnv = join(root, '.jupyter', 'env');
/** What Jupyter and set-up write while they run. */
export const runtime = join(root, '.jupyter', 'runtime');
export const setUpLock = join(runtime, 'set-up.lock');

/** @param {string} name a program of the project's own Python */
export function envProgram(name) {
  return process.platform === 'win32'
    ? join(pythonEnv, 'Scripts', `${name}.exe`)
    : join(pythonEnv, 'bin', name);
}
