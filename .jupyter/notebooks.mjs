// `npm run notebooks`: runs notebooks without a browser.
import { parseArgs } from 'node:util';
import { findNotebooks } from './headless/find-notebooks.mjs';
import { runNotebooks } from './headless/run-notebooks.mjs';
import { setUp } from './setup.mjs';

const HELP = `npm run notebooks -- [NAME…] [--write] [--timeout SECONDS]

Runs notebooks from their first cell to their last, each in a kernel of its own.
  NAME       a file, or a part of a notebook's name; without any: all in notebooks/
  --write    keeps the outputs in the notebook itself, if it ran through
  --timeout  seconds that one cell may take (120)
Executed copies are written to .data/executed/. Exit code 1 if a notebook failed.`;

const options = {
  write: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '120' },
  help: { type: 'boolean', short: 'h', default: false },
};

try {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const cellSeconds = Number(values.timeout);
  if (!Number.isInteger(cellSeconds) || cellSeconds < 1) {
    throw new RangeError(`--timeout takes whole seconds, not "${values.timeout}".`);
  }
  if (values.help) console.log(HELP);
  else process.exitCode = await run(findNotebooks(positionals), { cellSeconds, write: values.write });
} catch (error) {
  if (!(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function run(files, choices) {
  const { python } = await setUp();
  if (!python) return 1;
  const outcomes = await runNotebooks(files, { python, ...choices });
  return outcomes.some(({ failure }) => failure) ? 1 : 0;
}
