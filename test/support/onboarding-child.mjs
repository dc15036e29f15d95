// Serves signups and does their steps, until it is killed. Prints its address; stands still at `haltAt` after
// it has printed `halted`. Argument: JSON of { clickhouse, redis, stripe, notices, haltAt: 'card begins' or so }.
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Redis } from 'ioredis';
import Stripe from 'stripe';
import { webhookNotifier } from '../../.build/notifier.js';
import { inProcessQuotaGate } from '../../.build/quotas/in-process-quota-gate.js';
import { createApp } from '../../.build/server/app.js';
import { listen } from '../../.build/server/listen.js';
import { startTenants } from '../../.build/server/start-tenants.js';

const given = JSON.parse(process.argv[2]);
process.stdin.on('end', () => process.exit()).resume();
const redis = new Redis(given.redis);
const clickhouse = createClient({ url: given.clickhouse, log: { level: ClickHouseLogLevel.OFF } });
const { hostname: host, port } = new URL(given.stripe);
const stripe = new Stripe('sk_test_x', { host, port: Number(port), protocol: 'http', telemetry: false });
const on = (client) => ({ mode: 'configured', client, address: '' });
const services = { redis: on(redis), clickhouse: on(clickhouse), stripe: on(stripe) };
const { onboarding, keys, limitsOf } = await startTenants(services, {
  notifier: webhookNotifier(given.notices),
  now: () => new Date(given.now),
  // Short, so that what a killed one had at hand is soon another's.
  lock: { holdMs: 500 },
  queue: { stalledMs: 500, backoffMs: 20, attempts: 50 },
  // Stripe's events are read: nothing is posted to an address that may be dead. What a round has not brought
  // by then is not waited for.
  ...{ everyMs: 200, webhookMs: 500 },
  trace: ({ step }, moment) => {
    if (`${step} ${moment}` !== given.haltAt) return undefined;
    console.log('halted');
    return new Promise(() => undefined);
  },
});
const { url } = await listen(
  createApp({
    ...{ keys, onboarding, limitsOf },
    gate: inProcessQuotaGate(),
    tracker: { track: () => undefined, stats: () => ({ buffered: 0, fallbackBytes: 0 }) },
    clickhouse: services.clickhouse,
  }),
);
console.log(url);
