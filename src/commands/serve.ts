/** `npm run serve`: the HTTP application on a port. */
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ClickHouseClient } from '@clickhouse/client';
import { registerEndpoint } from '../billing/webhooks/register-endpoint.js';
import { readConfig } from '../config.js';
import { loadSampleMonth } from '../metering/sample-month.js';
import { createTables } from '../metering/tables.js';
import { type TenantTerms, tenantsAt } from '../metering/tenants.js';
import { UsageTracker } from '../metering/tracker.js';
import { limitsOf } from '../plans.js';
import { inProcessQuotaGate } from '../quotas/in-process-quota-gate.js';
import type { QuotaGate } from '../quotas/quota-gate.js';
import { redisQuotaGate } from '../quotas/redis-quota-gate.js';
import { steadyQuotaGate } from '../quotas/steady-quota-gate.js';
import { usedTodayFrom } from '../quotas/used-today.js';
import { ApiKeys } from '../server/api-keys.js';
import { type App, createApp } from '../server/app.js';
import { billTenants } from '../server/bill-tenants.js';
import { listen } from '../server/listen.js';
import { trackerMetrics } from '../server/metrics.js';
import type { StartedWebhooks } from '../server/start-webhooks.js';
import { webhookRoute } from '../server/webhook-route.js';
import { describeServices } from '../services/describe-services.js';
import { openServices, type Services } from '../services/open-services.js';
import { FALLBACK_FILE } from '../services/workspace.js';
import { listenOptions, parseListenOptions } from './listen-options.js';
import { runCommand } from './run-command.js';

const HELP = `npm run serve -- [--port N] [--host ADDRESS]

Serves POST /query, GET /api/tenants/{id}/usage, POST /webhooks/stripe, GET /health and GET /metrics until
Ctrl-C.
Prints a key for each of the first three tenants; keys live as long as the process.

  --port N        default 8787; 0 takes a free one
  --host ADDRESS  default 127.0.0.1
`;

const NO_BILLING = 'Webhooks and rounds are off: they need ClickHouse, Redis and Stripe';

/** Tenants that get a key. */
const KEYS = 3;

await runCommand(HELP, async (args) => {
  const address = parseListenOptions(parseArgs({ args, options: listenOptions('8787') }).values);
  const config = readConfig();
  const services = await openServices({ workspace: 'serve', config });
  const { clickhouse } = services;
  const store = clickhouse.mode === 'off' ? undefined : clickhouse.client;
  const tracker = new UsageTracker(store, {
    fallbackFile: join(services.workspace, FALLBACK_FILE),
    writeAhead: true,
  });
  let billing: StartedWebhooks | undefined;
  try {
    let tenants: TenantTerms[] = [
      { tenantId: 'acme-corp', plan: 'starter', state: 'active', effectiveFrom: new Date(0) },
    ];
    if (store) {
      await createTables(store, clickhouse.mode === 'configured' ? { retentionMonths: 36 } : {});
      if (clickhouse.mode === 'embedded') await loadSampleMonth(store, { events: config.sampleEvents });
      tenants = await tenantsAt(store, new Date());
    }
    for (const fallbackFile of services.unsent) await sendLeft(store, fallbackFile);
    const plans = new Map(tenants.map(({ tenantId, plan }) => [tenantId, plan]));
    const keys = new ApiKeys();
    billing = await billTenants(services);
    let app: App | undefined;
    const server = await listen(
      { fetch: (request) => app?.fetch(request) ?? new Response(null, { status: 503 }) },
      address,
    );
    const { stripe } = services;
    const isLocal = billing !== undefined && stripe.mode === 'embedded';
    const secret = isLocal
      ? await registerEndpoint(stripe.client, `${server.url}/webhooks/stripe`)
      : config.stripeWebhookSecret;
    app = createApp({
      keys,
      gate: gateOf(services),
      tracker,
      clickhouse,
      metrics: await trackerMetrics(tracker),
      limitsOf: billing?.limitsOf ?? ((tenantId) => limitsOf(plans.get(tenantId) ?? 'starter')),
      ...(billing && { webhooks: webhookRoute({ secret, queue: billing.queue }) }),
    });
    for (const { service, mode, reason } of describeServices(services)) {
      console.log(`${service}: ${mode}${reason ? ` (${reason})` : ''}`);
    }
    console.log(`Listening on ${server.url}`);
    for (const line of billing ? billingLines(server.url, { isLocal, secret }) : [NO_BILLING])
      console.log(line);
    for (const { tenantId } of tenants.slice(0, KEYS)) console.log(`  ${tenantId}: ${keys.issue(tenantId)}`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    await server.close();
  } finally {
    // Also when events could not be stored, which is then the error that is shown.
    await tracker
      .close()
      .finally(() => billing?.close())
      .finally(() => services.close());
  }
  return 0;
});

/** What works without anybody asking for it. */
function billingLines(url: string, { isLocal, secret }: { isLocal: boolean; secret: string | undefined }) {
  const key = isLocal ? 'the secret that the local Stripe gave' : 'STRIPE_WEBHOOK_SECRET';
  const webhooks = secret
    ? `signatures are checked with ${key}`
    : 'all are refused, because STRIPE_WEBHOOK_SECRET is not set';
  return [
    `Webhooks on ${url}/webhooks/stripe: ${webhooks}`,
    'Rounds, now and every hour: usage report, reminders, dunning',
  ];
}

/** What another server of this folder accepted and could not send before it ended. */
async function sendLeft(store: ClickHouseClient | undefined, fallbackFile: string): Promise<void> {
  const left = new UsageTracker(store, { fallbackFile });
  await left.close();
  const { stored, onDisk } = left.stats();
  console.log(`Sent ${stored} events that an earlier server left in ${fallbackFile}; ${onDisk} wait there`);
}

/** Redis with ClickHouse's truth behind it, and the twin inside the process where Redis is off or away. */
function gateOf({ clickhouse, redis }: Services): QuotaGate {
  const options = clickhouse.mode === 'off' ? {} : { usedToday: usedTodayFrom(clickhouse.client) };
  if (redis.mode === 'off') return inProcessQuotaGate(options);
  return steadyQuotaGate(redisQuotaGate(redis.client, options), options);
}
