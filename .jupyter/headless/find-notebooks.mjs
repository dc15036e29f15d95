// From what a person types to notebooks: all of the course, or those whose file name has the given part.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { notebooks } from '../setup/paths.mjs';

/**
 * @param {string[]} names files or parts of file names; none means every notebook but the solutions
 * @param {string} [folder] @default notebooks/
 * @returns {string[]} files
 * @throws {RangeError} with a sentence that lists those there are
 */
export function findNotebooks(names, folder = notebooks) {
  const course = notebooksIn(folder);
  const all = [...course, ...notebooksIn(join(folder, 'solutions'))];
  if (names.length === 0 && course.length > 0) return course;
  if (names.length === 0) throw new RangeError(`There are no notebooks in ${folder}.`);
  return [...new Set(names.flatMap((name) => matching(name, all)))];
}

/** The solutions of the exercises, which a test runs beside the notebooks. */
export const findSolutions = () => notebooksIn(join(notebooks, 'solutions'));

function matching(name, all) {
  if (name.endsWith('.ipynb') && existsSync(name)) return [name];
  const part = basename(name, '.ipynb').toLowerCase();
  const found = all.filter((file) => basename(file, '.ipynb').toLowerCase().includes(part));
  if (found.length > 0) return found;
  const known = all.map((file) => basename(file, '.ipynb')).join(', ');
  throw new RangeError(`No notebook is named like "${name}"; there are: ${known || 'none'}.`);
}

function notebooksIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ipynb'))
    .sort()
    .map((name) => join(folder, name));
}
