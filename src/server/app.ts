/** The HTTP application: signups, queries through the gate, usage for its owner, Stripe's webhooks, health. */
import type { ClickHouseClient } from '@clickhouse/client';
import { Hono } from 'hono';
import { InvalidInputError } from '../errors.js';
import type { UsageTracker } from '../metering/tracker.js';
import type { TrackerStats } from '../metering/tracker-options.js';
import type { QuotaGate } from '../quotas/quota-gate.js';
import type { Service } from '../service.js';
import type { KeyLookup } from '../tenants/api-keys.js';
import type { Onboarding } from '../tenants/onboarding/onboarding.js';
import { LockHeldError } from '../tenants/tenant-lock.js';
import { TransitionRefusedError } from '../tenants/transition-refused-error.js';
import type { Answerer } from './answer.js';
import { authenticate, ownTenant, type TenantApp, type TenantEnv } from './authenticate.js';
import { healthOf } from './health.js';
import { limitBody, NotJsonError } from './json-body.js';
import { problem } from './problem.js';
import { addQueryRoute } from './query-routes.js';
import { addSignupRoutes } from './signup-routes.js';
import type { TenantLimits } from './tenant-limits.js';
import { addUsageRoute } from './usage-routes.js';

export interface AppOptions {
  readonly keys: KeyLookup;
  readonly gate: QuotaGate;
  /** With `durable` a query is answered when its event survives a kill; else a kill may lose the last second's. */
  readonly tracker: Pick<UsageTracker, 'track'> &
    Partial<Pick<UsageTracker, 'durable' | 'isFull'>> & {
      stats(): Pick<TrackerStats, 'buffered' | 'fallbackBytes'> & Partial<Pick<TrackerStats, 'diskError'>>;
    };
  readonly clickhouse: Service<ClickHouseClient>;
  /** A tenant's limits, from its plan and its payments. */
  readonly limitsOf: (tenantId: string) => TenantLimits | Promise<TenantLimits>;
  /** What answers Stripe, see webhook-route.ts; without it there is no `POST /webhooks/stripe`. */
  readonly webhooks?: (request: Request) => Promise<Response>;
  /** Without it there is neither `POST /signup` nor `GET /api/tenants/{id}`. */
  readonly onboarding?: Pick<Onboarding, 'signUp' | 'retry' | 'statusOf'>;
  /**
   * Adds further routes below `/api/tenants/:id/`, or at it; what is there has the key of that tenant.
   * @default none
   */
  readonly tenantRoutes?: (app: TenantApp) => void;
  /** Figures for Prometheus; without it there is no `GET /metrics`. */
  readonly metrics?: () => Promise<string>;
  /** @default stubAnswerer */
  readonly answerer?: Answerer;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/** Largest event of Stripe's that is read, in bytes; they have some kilobytes. */
export const WEBHOOK_LIMIT = 256 * 1_024;

/** Largest body of the other requests, in bytes. */
export const BODY_LIMIT = 64 * 1_024;

/** The application: fetch handler, and the same by path for tests. */
export interface App {
  fetch(request: Request): Response | Promise<Response>;
  request(path: string, init?: RequestInit): Response | Promise<Response>;
  /** All routes; those with the method `ALL` stand before others. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
}

/**
 * The HTTP application of these parts; `listen()` puts it on a port.
 *
 * @example
 * const app = createApp({ keys, gate, tracker, clickhouse: services.clickhouse, limitsOf: () => limits });
 * await app.request('/query', { method: 'POST', headers, body: '{"question":"What is a meter?"}' });
 */
export function createApp(options: AppOptions): App {
  const { keys, gate, tracker, clickhouse, metrics, webhooks, onboarding, tenantRoutes } = options;
  const app = new Hono<TenantEnv>();

  app.notFound((context) => problem(404, `There is no route ${context.req.method} ${context.req.path}`));
  app.onError((error) => {
    if (error instanceof InvalidInputError || error instanceof RangeError) return problem(400, error.message);
    if (error instanceof NotJsonError) return problem(415, error.message);
    if (error instanceof TransitionRefusedError) return problem(409, error.message);
    if (error instanceof LockHeldError) return problem(503, error.message, { 'retry-after': '5' });
    console.error(error);
    return problem(500, 'The request failed for a reason of ours');
  });

  app.get('/health', async (context) => {
    const state = await healthOf({ clickhouse, gate, tracker });
    return context.json(state, state.status === 'ok' ? 200 : 503);
  });
  if (metrics) {
    app.get('/metrics', async () => {
      return new Response(await metrics(), {
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      });
    });
  }
  if (webhooks) {
    app.post('/webhooks/stripe', limitBody(WEBHOOK_LIMIT), (context) => webhooks(context.req.raw));
  }

  const hasKey = authenticate(keys);
  app.use('/query', hasKey, limitBody(BODY_LIMIT));
  app.use('/signup', limitBody(BODY_LIMIT));
  app.use('/api/*', hasKey, limitBody(BODY_LIMIT));
  app.use('/api/tenants/:id/*', ownTenant);
  addQueryRoute(app, options);
  addUsageRoute(app, options);
  if (onboarding) addSignupRoutes(app, { onboarding, keys });
  tenantRoutes?.(app);
  return app;
}
