/** `npm run serve`: the HTTP application on a port. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { ClickHouseClient } from '@clickhouse/client';
import { closeAll } from '../close-all.js';
import { readConfig } from '../config.js';
import { loadSampleMonth } from '../metering/sample-month.js';
import { createTables } from '../metering/tables.js';
import { type TenantTerms, tenantsAt } from '../metering/tenants.js';
import { UsageTracker } from '../metering/tracker.js';
import type { RunningServer } from '../server/start-server.js';
import { describeServices, serviceLine } from '../services/describe-services.js';
import { openServices } from '../services/open-services.js';
import { listenOptions, parseListenOptions } from './listen-options.js';
import { runCommand } from './run-command.js';

const HELP = `npm run serve -- [--port N] [--host ADDRESS]

Serves POST /query, POST /signup, /api/tenants/{id} (GET, DELETE, GET usage, POST plan), POST /webhooks/stripe,
GET /health and GET /metrics until Ctrl-C.
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
  // Loaded here, not above: `--help` and a refused address need not wait for the workers and Stripe's SDK.
  const { startServer } = await import('../server/start-server.js');
  const services = await openServices({ workspace: 'serve', config });
  const { clickhouse, stripe } = services;
  const store = clickhouse.mode === 'off' ? undefined : clickhouse.client;
  let server: RunningServer | undefined;
  try {
    let tenants: TenantTerms[] = [
      { tenantId: 'acme-corp', plan: 'starter', state: 'active', effectiveFrom: new Date(0) },
    ];
    if (store) {
      await createTables(store, clickhouse.mode === 'configured' ? { retentionMonths: 36 } : {});
      tenants = await tenantsAt(store, new Date());
      // The sample is loaded once: by the next start somebody may have signed up, beside whom it would not be.
      if (clickhouse.mode === 'embedded' && tenants.length === 0) {
        await loadSampleMonth(store, { events: config.sampleEvents });
        tenants = await tenantsAt(store, new Date());
      }
    }
    for (const fallbackFile of services.unsent) await sendLeft(store, fallbackFile);
    server = await startServer(services, {
      ...address,
      plans: new Map(tenants.map(({ tenantId, plan }) => [tenantId, plan])),
      webhookSecret: config.stripeWebhookSecret,
    });
    const { url, keys, webhookSecret: secret } = server;
    for (const service of describeServices(services)) console.log(serviceLine(service));
    console.log(`Listening on ${url}`);
    const isLocal = stripe.mode === 'embedded';
    for (const line of server.tenants ? billingLines(url, { isLocal, secret }) : [NO_BILLING])
      console.log(line);
    for (const { tenantId } of tenants.slice(0, KEYS)) console.log(`  ${tenantId}: ${keys.issue(tenantId)}`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  } finally {
    await closeAll(() => server?.close(), services.close);
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
