// Runs notebooks and prints a line for each; what failed is shown with its cell.
import { relative } from 'node:path';
import { root } from '../setup/paths.mjs';
import { runNotebook } from './run-notebook.mjs';
import { isOffline } from './settings.mjs';

/**
 * @param {string[]} files
 * @param {object} options as of runNotebook(); `atOnce`: how many run side by side (1)
 * @returns {Promise<import('./run-notebook.mjs').Outcome[]>} in the order of the files
 */
export async function runNotebooks(files, { atOnce = 1, ...options }) {
  // A run without services leaves the copy of the one with services alone.
  const label = options.label ?? (isOffline() ? 'offline' : undefined);
  const outcomes = [];
  let isInterrupted = false;
  const waiting = files.entries();
  const runWaiting = async () => {
    for (const [index, file] of waiting) {
      const onCell = atOnce === 1 ? showProgress(file) : undefined;
      const outcome = await runNotebook(file, { ...options, label, onCell });
      outcomes[index] = outcome;
      clearProgress();
      print(outcome, label);
      // Ctrl-C ends the notebook that runs; nobody who presses it wants the others.
      isInterrupted ||= outcome.failure?.message.startsWith('Interrupted') ?? false;
      if (isInterrupted) return;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runWaiting));
  return outcomes.filter(Boolean);
}

function showProgress(file) {
  if (!process.stdout.isTTY) return undefined;
  return (cell, of) => process.stdout.write(`\r\x1b[K… ${relative(root, file)}  cell ${cell} of ${of}`);
}

function clearProgress() {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
}

function print({ name, cells, ready, seconds, copy, failure }, label) {
  const parts = [
    `${failure ? '✗' : '✓'} ${name}${label ? ` (${label})` : ''}`,
    failure?.cell ? `cell [${failure.cell}] of ${cells}` : `${cells} cell${cells === 1 ? '' : 's'}`,
    ready,
    `${seconds.toFixed(1)} s`,
    relative(root, copy),
  ];
  console.log(parts.filter(Boolean).join('  '));
  if (!failure) return;
  if (failure.source) console.log(`\n${indent(failure.source, '  │ ')}`);
  console.log(`\n${indent(failure.message, '  ')}\n`);
}

function indent(text, by) {
  return text
    .split('\n')
    .map((line) => by + line)
    .join('\n');
}
