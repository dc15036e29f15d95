/** `npm run grafana`: writes the dashboard that Grafana imports. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { grafanaDashboard } from '../dashboard/grafana-dashboard.js';
import { runCommand } from './run-command.js';

/** The committed one, which the containers of .devcontainer/ mount. */
const FILE = '.grafana/dashboards/meterbridge.json';

const HELP = `npm run grafana -- [FILE]

Writes the dashboard's panels as JSON for Grafana (Dashboards, New, Import), to ${FILE}
or to FILE.
`;

await runCommand(HELP, async (args) => {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} });
  if (positionals.length > 1) throw new RangeError(`Cannot write several files: ${positionals.join(', ')}`);
  const [file = FILE] = positionals;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(grafanaDashboard(), undefined, 2)}\n`);
  console.log(`wrote ${file}`);
  return 0;
});
