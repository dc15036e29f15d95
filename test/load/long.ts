import { writeFileSync } from 'node:fs';
import { it } from 'vitest';
import { runLoad } from './load.js';
import { linesOf, reportOf } from './report.js';

const { LOAD_SEED, LOAD_SECONDS, LOAD_RATE, LOAD_TENANTS, LOAD_REPORT = '' } = process.env;
const options = {
  seed: Number(LOAD_SEED),
  seconds: Number(LOAD_SECONDS),
  rate: Number(LOAD_RATE),
  tenants: Number(LOAD_TENANTS),
};

// What it finds is the caller's to judge, see run.mjs.
it('holds the load', async () => {
  const begun = performance.now();
  const say = (line: string) =>
    process.stdout.write(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${line}\n`);
  const result = await runLoad({ ...options, freeSeconds: 5, signups: Math.ceil(options.seconds / 2), say });
  const report = reportOf(options, result);
  writeFileSync(LOAD_REPORT, JSON.stringify({ report, lines: linesOf(report) }));
});
