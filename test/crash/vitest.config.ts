import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The long run, `npm run crash`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/crash/long.ts'],
    pool: 'forks',
    testTimeout: 3_600_000,
  },
});
