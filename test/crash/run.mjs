// Random kills of the tracker and four writers at once; exit code 1 when an event is lost or counted twice.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildLibrary } from '../../.jupyter/setup/build.mjs';

const HELP = `npm run crash -- [--seed N] [--kills 200] [--events 100000]

Kills the tracker's process at random, while ClickHouse refuses, cuts, answers late or fails after storing,
and looks for every confirmed event in events, rollups and invoice; kills the report of usage to Stripe a
quarter as often, and looks at what is billed; hands over six webhooks in all 720 orders; kills the onboarding at
each of its steps; changes a plan a hundred times under queries; then four writers send each event up to four
times. The seed names the plan: the same one makes the same kills. Without one it is
drawn and printed.`;

const number = { type: 'string' };
const options = { seed: number, kills: number, events: number, help: { type: 'boolean', short: 'h' } };

try {
  const { values } = parseArgs({ options });
  const { seed = String(randomInt(1_000_000)), kills = '200', events = '100000', help } = values;
  for (const [name, value] of Object.entries({ seed, kills, events })) {
    if (!/^\d+$/.test(value)) throw new RangeError(`--${name} takes a whole number, not "${value}".`);
  }
  if (help) console.log(HELP);
  else process.exitCode = await run({ CRASH_SEED: seed, CRASH_KILLS: kills, CRASH_EVENTS: events });
} catch (error) {
  if (!(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function run(plan) {
  await buildLibrary();
  console.log(`seed ${plan.CRASH_SEED}, ${plan.CRASH_KILLS} kills, ${plan.CRASH_EVENTS} events`);
  const config = ['--config', 'test/crash/vitest.config.ts', '--disable-console-intercept'];
  return spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...config], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: 'inherit',
    env: { ...process.env, ...plan },
  }).status;
}
