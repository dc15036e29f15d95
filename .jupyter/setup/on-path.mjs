// Finds a program on PATH without running it.
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @param {string} name
 * @param {string} [path] @default the environment's PATH
 * @returns {string[]} every place, first choice first
 */
export function onPath(name, path = process.env.PATH ?? '') {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  // /bin is /usr/bin on most machines: a program there is one, and tried once.
  const folders = path
    .split(delimiter)
    .filter(existsSync)
    .map((folder) => realpathSync(folder));
  return [...new Set(folders)]
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .filter(isProgram);
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code)) return false;
    throw error;
  }
}
