import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The long run, `npm run load`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/load/long.ts'],
    pool: 'forks',
    testTimeout: 3_600_000,
  },
});
