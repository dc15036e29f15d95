// `npm run bench -- [NAME…] [--json]`: the side-by-side benchmarks, a line each.
import { parseArgs } from 'node:util';
import { buildLibrary } from '../../.jupyter/setup/build.mjs';

const HELP = `npm run bench -- [NAME…] [--json]

Runs each pair in turn (A B A B …) and prints the median of the paired ratios.
  NAME    the benchmarks whose name begins so, e.g. tracker or gate.three
  --json  one JSON object a line`;

const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } };

try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  if (values.help) console.log(HELP);
  else await run(positionals, values.json ? printJson : printLine);
} catch (error) {
  if (!(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function run(starts, print) {
  await buildLibrary(process.stderr);
  const parts = [
    'money',
    'tracker',
    'replay',
    'gate',
    'invoice',
    'dashboard',
    'local-stripe',
    'usage-sync',
    'webhook',
  ];
  // Loaded once the library is built: they measure it as a user imports it.
  const all = await Promise.all(parts.map((part) => import(`./${part}.mjs`)));
  const wanted = (name) => starts.length === 0 || starts.some((start) => name.startsWith(start));
  const chosen = all.filter(({ names }) => names.some(wanted));
  if (chosen.length === 0) {
    throw new RangeError(
      `There is no benchmark ${starts.join(', ')}: ${all.flatMap(({ names }) => names).join(', ')}`,
    );
  }
  for (const part of chosen) {
    await part.run(({ name, value, unit, against, ratio = null }) => {
      if (!wanted(name)) return;
      const round = (number) => number && Number(number.toPrecision(4));
      print({ name, value: round(value), unit, against, ratio: round(ratio) });
    }, wanted);
  }
}

function printJson(result) {
  console.log(JSON.stringify(result));
}

function printLine({ name, value, unit, against, ratio }) {
  const figures = [
    name.padEnd(36),
    String(value).padStart(10),
    unit.padEnd(12),
    String(ratio ?? '').padStart(7),
  ];
  console.log(`${figures.join(' ')}  ${against}`);
}
