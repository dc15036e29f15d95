import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The long run, `npm run desk`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/desk/long.ts'],
    pool: 'forks',
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
