/** `npm run reset`: empties the workspaces that no process uses. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listWorkspaces } from '../services/workspace.js';
import { runCommand } from './run-command.js';

const DATA_DIR = '.data';

const HELP = `npm run reset -- [NAME…] [--dry-run]

Removes workspaces and executed copies under ${DATA_DIR}/: all that no process uses, or those named.

  --dry-run  says what would go
`;

await runCommand(HELP, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  const { idle, busy } = listWorkspaces(DATA_DIR);
  const unknown = positionals.filter((name) => !idle.includes(name));
  if (unknown.length > 0) {
    throw new RangeError(
      `Cannot reset ${unknown.join(', ')}: no idle workspace has this name; there ${idle.length === 1 ? 'is' : 'are'} ${idle.join(', ') || 'none'}`,
    );
  }
  const chosen = positionals.length > 0 ? positionals : idle;
  for (const name of chosen) {
    if (!values['dry-run']) rmSync(join(DATA_DIR, name), { recursive: true, force: true });
    console.log(`${values['dry-run'] ? 'would remove' : 'removed'} ${DATA_DIR}/${name}`);
  }
  if (positionals.length === 0)
    for (const name of busy) console.log(`left ${DATA_DIR}/${name}, which a process uses`);
  if (chosen.length === 0) console.log('nothing to reset');
  return 0;
});
