// Takes webhooks into the queue, or handles them, until it is killed or its stdin ends. Prints a line when it is ready.
// Argument: JSON of { role: 'server' or 'worker', port, secret, clickhouse, redis, stripe, notices, now }.
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Redis } from 'ioredis';
import Stripe from 'stripe';
import { webhookHandler } from '../../.build/billing/webhooks/handle-webhook.js';
import { WebhookQueue } from '../../.build/billing/webhooks/webhook-queue.js';
import { DunningLedger } from '../../.build/dunning/dunning-ledger.js';
import { DunningManager } from '../../.build/dunning/dunning-manager.js';
import { webhookNotifier } from '../../.build/notifier.js';
import { inProcessQuotaGate } from '../../.build/quotas/in-process-quota-gate.js';
import { createApp } from '../../.build/server/app.js';
import { listen } from '../../.build/server/listen.js';
import { webhookRoute } from '../../.build/server/webhook-route.js';

const given = JSON.parse(process.argv[2]);
process.stdin.on('end', () => process.exit()).resume();
const redis = new Redis(given.redis);
// Short, so that what a killed one had at hand is soon another's.
const lock = { holdMs: 500 };
const queue = new WebhookQueue(redis, { stalledMs: 500, backoffMs: 20, attempts: 50 });

if (given.role === 'server') {
  const app = createApp({
    keys: { holderOf: () => undefined },
    gate: inProcessQuotaGate(),
    tracker: { track: () => undefined, stats: () => ({ buffered: 0, fallbackBytes: 0 }) },
    clickhouse: { mode: 'off', skip: 'not asked here' },
    limitsOf: () => 'ended',
    webhooks: webhookRoute({ secret: given.secret, queue }),
  });
  await listen(app, { port: given.port });
} else {
  const clickhouse = createClient({ url: given.clickhouse, log: { level: ClickHouseLogLevel.OFF } });
  const { hostname: host, port } = new URL(given.stripe);
  const stripe = new Stripe('sk_test_x', { host, port: Number(port), protocol: 'http', telemetry: false });
  const now = () => new Date(given.now);
  const notifier = webhookNotifier(given.notices);
  const ledger = await DunningLedger.open(clickhouse);
  const dunning = new DunningManager(stripe, { redis, ledger, notifier, lock, now });
  queue.work(webhookHandler(stripe, { clickhouse, redis, dunning, lock, now }));
}
console.log('ready');
