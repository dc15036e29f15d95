import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './support/longest-first.js';

/** Days, months and what hangs on them must come out alike wherever the process believes it is. */
const ZONES = ['Pacific/Kiritimati', 'America/Sao_Paulo', 'UTC'];
const OF_TIME = [
  'test/period.test.ts',
  'test/invoices/{cost-invoice,invoiced-events,plan-invoice}.test.ts',
  'test/metering/{usage,rollups}.test.ts',
];
/** The whole suite runs in this one anyway. */
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Each replaces a module before anything has loaded it. */
const ALONE = [
  'test/metering/tracker-ahead.test.ts',
  'test/local-stripe/{events/bad-plans,state/failed-write}.test.ts',
];

const suite = (
  name: string,
  test: { include: string[]; exclude?: string[]; env?: Record<string, string> },
) => ({
  extends: true as const,
  test: { name, ...test },
});

/**
 * A process runs one test file after the other: with one for each, loading Stripe, Redis and ClickHouse anew
 * took 110 s of 1,320. ClickHouse serves one data folder at a time, so a file closes what it opens.
 */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    globalSetup: './test/support/memory-folder.ts',
    pool: 'forks',
    isolate: false,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      ...ZONES.filter((zone) => zone !== here).map((zone) =>
        suite(zone.replace('/', '-'), { include: OF_TIME, env: { TZ: zone, ONE_TRANSPORT: 'true' } }),
      ),
      { extends: true, test: { name: 'alone', include: ALONE, isolate: true } },
      suite('here', { include: ['test/**/*.test.ts'], exclude: [...configDefaults.exclude, ...ALONE] }),
    ],
  },
});
