/**
 * The service on a port of its own with two tenants that may ask ten times a day: what the quota
 * check asks. Its events go nowhere near the tenants that are billed.
 */
import { randomBytes } from 'node:crypto';
import { CHECKED_QUOTA, type QuotaAnswer, type QuotaTrial } from '../checks/quota-enforcement.js';
import { PRICE_TABLES } from '../metering/costs.js';
import { createEvent } from '../metering/event.js';
import type { QuotaGate } from '../quotas/quota-gate.js';
import { ApiKeys } from '../tenants/api-keys.js';
import { createApp } from './app.js';
import { gatheringOf } from './gathering.js';
import { listen } from './listen.js';

/**
 * Starts the service on a port, with two tenants that may ask ten times a day, hands it to `run`, and closes it.
 *
 * @param gate the gate under trial
 * @param run what is done with the service; it is closed afterwards
 * @example const result = await withQuotaTrial(gate, (trial) => checkQuotaEnforcement(trial));
 */
export async function withQuotaTrial<Result>(
  gate: QuotaGate,
  run: (trial: { mode: 'embedded'; client: QuotaTrial; address: string }) => Promise<Result>,
): Promise<Result> {
  const now = new Date();
  // Names of its own for each trial: a Redis may serve several at once.
  const trial = randomBytes(4).toString('hex');
  const [single, crowd] = [`quota-check-${trial}-single`, `quota-check-${trial}-crowd`];
  const keys = new ApiKeys();
  const keyOf = { [single]: keys.issue(single), [crowd]: keys.issue(crowd) };
  let gathering = gatheringOf(0);
  const app = createApp({
    keys,
    gate: {
      ...gate,
      reserve: async (request) => {
        if (request.tenantId === crowd) await gathering.arrive();
        return gate.reserve(request);
      },
    },
    clickhouse: { mode: 'off', skip: 'the quota check stores nothing' },
    tracker: {
      track: (input) => createEvent(input, { priceTables: PRICE_TABLES, now }),
      stats: () => ({ buffered: 0, fallbackBytes: 0 }),
    },
    limitsOf: () => ({ queries: CHECKED_QUOTA, tokens: 1_000_000 }),
    now: () => now,
  });
  const server = await listen(app);
  const ask = async (tenantId: string): Promise<QuotaAnswer> => {
    const response = await fetch(`${server.url}/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keyOf[tenantId]}`, 'content-type': 'application/json' },
      body: JSON.stringify({ question: 'How many requests are left?' }),
    });
    await response.arrayBuffer();
    return { status: response.status, retryAfter: response.headers.get('retry-after') };
  };
  const client: QuotaTrial = {
    gateMode: gate.mode,
    askOnce: () => ask(single),
    askAtOnce: (count) => {
      gathering = gatheringOf(count);
      // A request that is turned away before the gate must not keep the others waiting.
      return Promise.all(
        Array.from({ length: count }, () => ask(crowd).finally(() => void gathering.arrive())),
      );
    },
  };
  try {
    return await run({ mode: 'embedded', client, address: server.url });
  } finally {
    await server.close();
    await Promise.all([single, crowd].map((tenantId) => gate.forget({ tenantId, now })));
  }
}
