// Serves signups and does their steps, until it is killed. Prints its address; stands still at `haltAt` after
// it has printed `halted`. Argument: JSON of { clickhouse, redis, stripe, notices, haltAt: 'card begins' or so }.
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Redis } from 'ioredis';
import Stripe from 'stripe';
import { StripeBillingManager } from '../../.build/billing/billing-manager.js';
import { ensureCatalogue } from '../../.build/billing/catalogue.js';
import { webhookNotifier } from '../../.build/notifier.js';
import { inProcessQuotaGate } from '../../.build/quotas/in-process-quota-gate.js';
import { createApp } from '../../.build/server/app.js';
import { listen } from '../../.build/server/listen.js';
import { startOnboarding } from '../../.build/server/start-onboarding.js';
import { startWebhooks } from '../../.build/server/start-webhooks.js';

const given = JSON.parse(process.argv[2]);
process.stdin.on('end', () => process.exit()).resume();
const redis = new Redis(given.redis);
const clickhouse = createClient({ url: given.clickhouse, log: { level: ClickHouseLogLevel.OFF } });
const { hostname: host, port } = new URL(given.stripe);
const stripe = new Stripe('sk_test_x', { host, port: Number(port), protocol: 'http', telemetry: false });
const billing = new StripeBillingManager(stripe, { catalogue: await ensureCatalogue(stripe) });
// Short, so that what a killed one had at hand is soon another's.
const stalledMs = 500;
const services = {
  ...{ redis, clickhouse, stripe, billing, lock: { holdMs: 500 } },
  notifier: webhookNotifier(given.notices),
  now: () => new Date(given.now),
};
const { onboarding, keys } = await startOnboarding({
  ...services,
  queue: { stalledMs, backoffMs: 20 },
  // A webhook that a round has not brought by then is not waited for.
  webhookMs: 500,
  everyMs: 500,
  trace: ({ step }, moment) => {
    if (`${step} ${moment}` !== given.haltAt) return undefined;
    console.log('halted');
    return new Promise(() => undefined);
  },
});
// Its events are read from Stripe: nothing is posted to an address that may be dead.
const { limitsOf } = await startWebhooks({
  ...services,
  onboarding,
  queue: { stalledMs, backoffMs: 20, attempts: 50 },
  everyMs: 200,
});
const { url } = await listen(
  createApp({
    ...{ keys, onboarding, limitsOf },
    gate: inProcessQuotaGate(),
    tracker: { track: () => undefined, stats: () => ({ buffered: 0, fallbackBytes: 0 }) },
    clickhouse: { mode: 'configured', client: clickhouse, address: '' },
  }),
);
console.log(url);
