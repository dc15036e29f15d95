import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Every test file runs in a process of its own: the embedded ClickHouse serves one data folder a process. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
