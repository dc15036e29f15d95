import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The long run, `npm run crash`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: [
      'test/crash/long.ts',
      'test/billing/webhooks/webhook-orders.test.ts',
      'test/tenants/onboarding/onboarding-crash.test.ts',
      'test/tenants/zero-downtime.test.ts',
    ],
    env: { ORDERS_EVERY: '1', STEPS_EVERY: '1', PLAN_CHANGES: '50' },
    fileParallelism: false,
    pool: 'forks',
    testTimeout: 3_600_000,
  },
});
