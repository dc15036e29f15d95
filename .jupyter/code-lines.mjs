// Counts the lines of code in src/, folder by folder: a small library was the aim, and this keeps it in view.
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { root } from './setup/paths.mjs';

/** The one part with a budget of its own. */
const LOCAL_STRIPE = 'local-stripe';
const BUDGET = { rest: 3500, [LOCAL_STRIPE]: 2000 };

/** @returns {string} one line a folder, then both budgets */
export function codeLinesReport() {
  const counts = new Map();
  const sources = join(root, 'src');
  for (const name of readdirSync(sources, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const folder = name.includes(sep) ? name.split(sep)[0] : '(src)';
    counts.set(folder, (counts.get(folder) ?? 0) + codeLines(readFileSync(join(sources, name), 'utf8')));
  }
  const stripe = counts.get(LOCAL_STRIPE) ?? 0;
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    'Lines of code in src/',
    ...[...counts].sort().map(([folder, count]) => `  ${folder.padEnd(14)}${`${count}`.padStart(6)}`),
    `  ${all - stripe} of ${BUDGET.rest} outside ${LOCAL_STRIPE}, ${stripe} of ${BUDGET[LOCAL_STRIPE]} in it`,
  ].join('\n');
}

/** Lines that are neither blank nor comment. */
export function codeLines(source) {
  const withoutBlocks = source.replace(/^\s*\/\*[\s\S]*?\*\/\s*$/gm, '');
  return withoutBlocks.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//'))
    .length;
}
