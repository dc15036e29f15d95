import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Days, months and what hangs on them must come out alike wherever the process believes it is. */
const ZONES = ['Pacific/Kiritimati', 'America/Sao_Paulo', 'UTC'];
const OF_TIME = [
  'test/period.test.ts',
  'test/invoices/{cost-invoice,invoiced-events,plan-invoice}.test.ts',
  'test/metering/{usage,rollups}.test.ts',
];
/** The whole suite runs in this one anyway. */
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

const suite = (name: string, include: string[], env: Record<string, string> = {}) => ({
  extends: true as const,
  test: { name, include, env },
});

/** Every test file runs in a process of its own: the embedded ClickHouse serves one data folder a process. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      suite('here', ['test/**/*.test.ts']),
      ...ZONES.filter((zone) => zone !== here).map((zone) =>
        suite(zone.replace('/', '-'), OF_TIME, { TZ: zone }),
      ),
    ],
  },
});
