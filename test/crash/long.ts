import { expect, it } from 'vitest';
import { crash } from './crash.js';
import { syncCrash } from './sync-crash.js';
import { fourWriters } from './writers.js';

const { CRASH_SEED = '1', CRASH_KILLS = '200', CRASH_EVENTS = '100000' } = process.env;
const seed = Number(CRASH_SEED);
const say = (line: string) => process.stdout.write(`${line}\n`);
const listed = (problems: readonly string[]) => {
  for (const problem of problems.slice(0, 50)) say(`  ${problem}`);
  expect(problems.length).toBe(0);
};

it(`survives ${CRASH_KILLS} random kills, seed ${seed}`, async () => {
  const started = performance.now();
  const { problems, ...counts } = await crash({ seed, kills: Number(CRASH_KILLS), say });
  say(`${JSON.stringify(counts)} in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
  listed(problems);
});

const syncKills = Math.ceil(Number(CRASH_KILLS) / 4);
it(`bills the last totals after ${syncKills} random kills of the usage sync, seed ${seed}`, async () => {
  const started = performance.now();
  const { problems, ...counts } = await syncCrash({ seed, kills: syncKills });
  say(`${JSON.stringify(counts)} in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
  listed(problems);
});

it(`counts ${CRASH_EVENTS} events once that four writers send up to four times, seed ${seed}`, async () => {
  const started = performance.now();
  const { before, after, ...counts } = await fourWriters({ seed, events: Number(CRASH_EVENTS) });
  say(`${JSON.stringify(counts)} in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
  listed([...before, ...after]);
});
