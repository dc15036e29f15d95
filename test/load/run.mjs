// The whole service under load, with a worker and Redis killed; exit code 1 when one of the checks fails.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildLibrary } from '../../.jupyter/setup/build.mjs';

const HELP = `npm run load -- [--seconds 60] [--rate 200] [--tenants 120] [--seed N] [--json]

Asks the service of npm run serve as many tenants of all plans would, some of them near their quota; kills a
worker and Redis on the way; counts the answers, and compares them with events, rollups, usage as each tenant
reads it, plan invoices, and Stripe's meter. Afterwards five seconds without a rate.

  --seconds N  length of the part with a rate
  --rate N     requests a second that must be held; a tenth more is offered
  --tenants N  their plans and how much each asks come from the seed
  --seed N     names the plan: the same one asks the same questions; without one it is drawn and printed
  --json       the figures as one JSON object`;

const number = { type: 'string' };
const flag = { type: 'boolean' };
const options = {
  ...{ seed: number, seconds: number, rate: number, tenants: number },
  ...{ json: flag, help: { ...flag, short: 'h' } },
};

try {
  const { values } = parseArgs({ options });
  const { seconds = '60', rate = '200', tenants = '120', seed = String(randomInt(1_000_000)) } = values;
  for (const [name, value] of Object.entries({ seconds, rate, tenants, seed })) {
    if (!/^\d+$/.test(value) || (name !== 'seed' && Number(value) === 0))
      throw new RangeError(
        `--${name} takes a whole number${name === 'seed' ? '' : ' above 0'}, not "${value}".`,
      );
  }
  if (values.help) console.log(HELP);
  else process.exitCode = await run({ seconds, rate, tenants, seed }, values.json);
} catch (error) {
  if (!(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** What goes on is told on stderr; stdout is the report's. */
async function run({ seconds, rate, tenants, seed }, isJson) {
  await buildLibrary(process.stderr);
  console.error(`seed ${seed}, ${tenants} tenants, ${rate} requests a second for ${seconds} s`);
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-report-'));
  const file = join(folder, 'report.json');
  try {
    const config = ['--config', 'test/load/vitest.config.ts', '--disable-console-intercept'];
    const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...config], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 2, 2],
      env: {
        ...process.env,
        ...{ LOAD_SEED: seed, LOAD_SECONDS: seconds, LOAD_RATE: rate, LOAD_TENANTS: tenants },
        LOAD_REPORT: file,
      },
    });
    if (status !== 0) return 1;
    const { report, lines } = JSON.parse(readFileSync(file, 'utf8'));
    console.log(isJson ? JSON.stringify(report) : lines.join('\n'));
    return Object.values(report.checks).some((problems) => problems.length > 0) ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
