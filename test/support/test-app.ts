import { PRICE_TABLES } from '../../src/metering/costs.js';
import { createEvent } from '../../src/metering/event.js';
import type { EventInput } from '../../src/metering/event-input.js';
import type { TrackerStats } from '../../src/metering/tracker-options.js';
import { inProcessQuotaGate } from '../../src/quotas/in-process-quota-gate.js';
import { type AppOptions, createApp } from '../../src/server/app.js';
import { ApiKeys } from '../../src/tenants/api-keys.js';
import { NOW } from './events.js';

const STATS: TrackerStats = {
  tracked: 7,
  buffered: 5,
  stored: 1,
  fellBack: 1,
  batches: 1,
  failures: 1,
  diskFailures: 0,
  onDisk: 1,
  fallbackBytes: 300,
  quarantined: 0,
  oldest: NOW.getTime(),
  lastError: undefined,
  diskError: undefined,
};

/** The application with a key for acme-corp, a quota of ten, and a note of every tracked event. */
export function testApp(options: Partial<AppOptions> = {}) {
  const keys = new ApiKeys();
  const key = keys.issue('acme-corp');
  const tracked: EventInput[] = [];
  const app = createApp({
    keys,
    gate: inProcessQuotaGate(),
    tracker: {
      track: (input) => {
        tracked.push(input);
        return createEvent(input, { priceTables: PRICE_TABLES, now: options.now?.() ?? NOW });
      },
      stats: () => STATS,
    },
    clickhouse: { mode: 'off', skip: 'OFFLINE=true' },
    limitsOf: () => ({ queries: 10, tokens: 100_000 }),
    now: () => NOW,
    ...options,
  });
  const post = async (body: string, headers: Record<string, string> = {}) =>
    app.request('/query', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body,
    });
  const ask = (question = 'What is a meter?') => post(JSON.stringify({ question }));
  const get = async (path: string, authorization = `Bearer ${key}`) =>
    app.request(path, { headers: { authorization } });
  return { app, keys, key, tracked, post, ask, get };
}

/** A response as a problem: status and sentence, after a look at its form. */
export async function problemOf(response: Response): Promise<[status: number, detail: string]> {
  const body = (await response.json()) as { type: string; title: string; status: number; detail: string };
  const type = response.headers.get('content-type');
  const isProblem = type === 'application/problem+json' && body.type === 'about:blank' && body.title !== '';
  if (!isProblem || body.status !== response.status) throw new Error(`no problem: ${JSON.stringify(body)}`);
  return [response.status, body.detail];
}
