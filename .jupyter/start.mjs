// `npm start`: from a fresh clone to executed notebooks, in one command.
import { relative } from 'node:path';
import { findNotebooks } from './headless/find-notebooks.mjs';
import { runNotebooks } from './headless/run-notebooks.mjs';
import { data, root } from './setup/paths.mjs';
import { setUp } from './setup.mjs';

const HELP = `npm start

Installs what is missing (the first time about 1.3 GB, one to two minutes), builds the library and runs every
notebook without a browser: on embedded services, or on those that the environment names (see README.md).
Executed copies are written to .data/executed/. Exit code 1 if a notebook failed.

More: npm run lab (JupyterLab), npm test, npm run notebooks -- --help, npm run clean`;

if (process.argv.slice(2).some((word) => ['--help', '-h'].includes(word))) console.log(HELP);
else process.exitCode = await start();

async function start() {
  const { python } = await setUp();
  if (!python) return 1;
  const outcomes = await runNotebooks(findNotebooks([]), { python });
  const failed = outcomes.filter(({ failure }) => failure).length;
  console.log(`\nExecuted copies, with all outputs: ${relative(root, data)}/executed/`);
  console.log(
    failed === 0 ? 'Next: npm run lab' : `${failed} of ${outcomes.length} notebooks failed, see above.`,
  );
  return failed === 0 ? 0 : 1;
}
