/** The whole service behind one address: queries, usage, signups, billing, the life of tenants. */
import { join } from 'node:path';
import { registerEndpoint } from '../billing/webhooks/register-endpoint.js';
import { closeAll } from '../close-all.js';
import { UsageTracker } from '../metering/tracker.js';
import { limitsOf, type PlanName } from '../plans.js';
import { inProcessQuotaGate } from '../quotas/in-process-quota-gate.js';
import type { QuotaGate } from '../quotas/quota-gate.js';
import { redisQuotaGate } from '../quotas/redis-quota-gate.js';
import { steadyQuotaGate } from '../quotas/steady-quota-gate.js';
import { usedTodayFrom } from '../quotas/used-today.js';
import type { Services } from '../services/open-services.js';
import { FALLBACK_FILE } from '../services/workspace.js';
import { ApiKeys } from '../tenants/api-keys.js';
import type { Answerer } from './answer.js';
import { type App, type AppOptions, createApp } from './app.js';
import { type Listening, listen } from './listen.js';
import { trackerMetrics } from './metrics.js';
import { type StartedTenants, type StartTenantsOptions, startTenants } from './start-tenants.js';
import { webhookRoute } from './webhook-route.js';

export interface StartServerOptions extends StartTenantsOptions {
  /** @default 0, a free one */
  readonly port?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** Stripe's, of the endpoint; the local Stripe gives its own. @default none: webhooks are refused */
  readonly webhookSecret?: string | undefined;
  /** Plans of tenants where there is no billing to ask; others have the smallest. @default none */
  readonly plans?: ReadonlyMap<string, PlanName>;
  /** @default stubAnswerer */
  readonly answerer?: Answerer;
}

export interface RunningServer {
  /** e.g. `http://127.0.0.1:8787` */
  readonly url: string;
  readonly app: App;
  readonly tracker: UsageTracker;
  readonly gate: QuotaGate;
  /** Keys that live as long as the process, for tenants that never signed up. */
  readonly keys: ApiKeys;
  /** Undefined where one of its services is off; there is no signup and no billing then. */
  readonly tenants: StartedTenants | undefined;
  /** What webhooks are checked with. */
  readonly webhookSecret: string | undefined;
  /** From the next request on other parts are in place, as in a lesson that shows what breaks. */
  readonly exchange: (parts: (own: AppOptions) => AppOptions) => void;
  /** Stores what was tracked, and lets what runs come to its end. */
  close(): Promise<void>;
}

/**
 * @param services with the tables of ClickHouse made
 * @example
 * const server = await startServer(await openServices({ workspace: 'demo' }));
 * const key = server.keys.issue('acme-corp');
 */
export async function startServer(
  services: Services,
  options: StartServerOptions = {},
): Promise<RunningServer> {
  const { clickhouse, stripe, workspace } = services;
  const { now, plans, answerer, port = 0, host = '127.0.0.1' } = options;
  const clock = now && { now };
  const tracker = new UsageTracker(clickhouse.mode === 'off' ? undefined : clickhouse.client, {
    ...{ fallbackFile: join(workspace, FALLBACK_FILE), writeAhead: true },
    ...clock,
  });
  const keys = new ApiKeys();
  const gate = gateOf(services);
  let tenants: StartedTenants | undefined;
  let server: Listening | undefined;
  const close = () =>
    closeAll(
      () => server?.close(),
      () => tracker.close(),
      () => tenants?.close(),
    );
  try {
    tenants = await startTenants(services, options);
    let app: App | undefined;
    const fetch = (request: Request) => app?.fetch(request) ?? new Response(null, { status: 503 });
    server = await listen({ fetch }, { port, host });
    const isLocal = tenants !== undefined && stripe.mode === 'embedded';
    const webhookSecret = isLocal
      ? await registerEndpoint(stripe.client, `${server.url}/webhooks/stripe`)
      : options.webhookSecret;
    const own: AppOptions = {
      ...{ gate, tracker, clickhouse, ...clock, ...(answerer && { answerer }) },
      metrics: await trackerMetrics(tracker),
      limitsOf: tenants?.limitsOf ?? ((tenantId) => limitsOf(plans?.get(tenantId) ?? 'starter')),
      keys: { holderOf: (key) => keys.holderOf(key) ?? tenants?.keys.holderOf(key) },
      ...(tenants && {
        ...{ onboarding: tenants.onboarding, tenantRoutes: tenants.tenantRoutes },
        webhooks: webhookRoute({ secret: webhookSecret, queue: tenants.queue }),
      }),
    };
    const first = createApp(own);
    app = first;
    return {
      ...{ url: server.url, app: first, tracker, gate, keys, tenants, webhookSecret, close },
      exchange(parts) {
        app = createApp(parts(own));
      },
    };
  } catch (error) {
    // What was started would keep the process alive; the caller had better hear of the first failure.
    await close().catch(() => undefined);
    throw error;
  }
}

/** Redis with ClickHouse's truth behind it, and the twin inside the process where Redis is off or away. */
function gateOf({ clickhouse, redis }: Services): QuotaGate {
  const options = clickhouse.mode === 'off' ? {} : { usedToday: usedTodayFrom(clickhouse.client) };
  if (redis.mode === 'off') return inProcessQuotaGate(options);
  return steadyQuotaGate(redisQuotaGate(redis.client, options), options);
}
