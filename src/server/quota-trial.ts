/**
 * The service on a port of its own with two tenants that may ask ten times a day: what the quota
 * check asks. Its events go nowhere near the tenants that are billed.
 */
import { randomBytes } from 'node:crypto';
import { CHECKED_QUOTA, type QuotaTrial } from '../checks/quota-enforcement.js';
import { PRICE_TABLES } from '../metering/costs.js';
import { createEvent } from '../metering/event.js';
import type { QuotaGate } from '../quotas/quota-gate.js';
import { ApiKeys } from './api-keys.js';
import { createApp } from './app.js';
import { listen } from './listen.js';

/**
 * @param gate the gate under trial
 * @param run what is done with the service; it is closed afterwards
 * @example const result = await withQuotaTrial(gate, (trial) => checkQuotaEnforcement(trial));
 */
export async function withQuotaTrial<Result>(
  gate: QuotaGate,
  run: (trial: { mode: 'embedded'; client: QuotaTrial; address: string }) => Promise<Result>,
): Promise<Result> {
  const now = new Date();
  const tenants = ['one-by-one', 'all-at-once'] as const;
  // Names of its own for each trial: a Redis may serve several at once.
  const trial = randomBytes(4).toString('hex');
  const idOf = (tenant: string) => `quota-check-${trial}-${tenant}`;
  const keys = new ApiKeys();
  const keyOf = new Map(tenants.map((tenant) => [tenant, keys.issue(idOf(tenant))]));
  const app = createApp({
    keys,
    gate,
    clickhouse: { mode: 'off', skip: 'the quota check stores nothing' },
    tracker: {
      track: (input) => createEvent(input, { priceTables: PRICE_TABLES, now }),
      stats: async () => Promise.reject(new Error('the quota check tracks nothing')),
    },
    limitsOf: () => ({ queries: CHECKED_QUOTA, tokens: 1_000_000 }),
    now: () => now,
  });
  const server = await listen(app);
  const forget = () => Promise.all(tenants.map((tenant) => gate.forget({ tenantId: idOf(tenant), now })));
  try {
    const ask: QuotaTrial['ask'] = async (tenant) => {
      const response = await fetch(`${server.url}/query`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keyOf.get(tenant)}`, 'content-type': 'application/json' },
        body: JSON.stringify({ question: 'How many requests are left?' }),
      });
      await response.arrayBuffer();
      return { status: response.status, retryAfter: response.headers.get('retry-after') };
    };
    return await run({ mode: 'embedded', client: { gateMode: gate.mode, ask }, address: server.url });
  } finally {
    await forget();
    await server.close();
  }
}
