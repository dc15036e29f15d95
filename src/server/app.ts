/** The HTTP application: queries through the gate, usage for its owner, Stripe's webhooks, health. */
import type { ClickHouseClient } from '@clickhouse/client';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { InvalidInputError } from '../errors.js';
import { parseInput } from '../input.js';
import { trackUsage } from '../metering/track-usage.js';
import type { TrackerStats, UsageTracker } from '../metering/tracker.js';
import { readUsage } from '../metering/usage.js';
import { parseDay } from '../period.js';
import type { QuotaGate } from '../quotas/quota-gate.js';
import type { Service } from '../service.js';
import { type Answerer, stubAnswerer } from './answer.js';
import type { ApiKeys } from './api-keys.js';
import { healthOf } from './health.js';
import { problem } from './problem.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { refusedTenant } from './refused-tenant.js';
import type { TenantLimits } from './tenant-limits.js';

export interface AppOptions {
  readonly keys: Pick<ApiKeys, 'tenantOf'>;
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
  /** Figures for Prometheus; without it there is no `GET /metrics`. */
  readonly metrics?: () => Promise<string>;
  /** @default stubAnswerer */
  readonly answerer?: Answerer;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/** Largest event of Stripe's that is read, in bytes; they have some kilobytes. */
export const WEBHOOK_LIMIT = 256 * 1_024;

/** Largest request body, in bytes. */
const BODY_LIMIT = 64 * 1_024;

const queryBody = z.strictObject({
  question: z
    .string('must be text')
    .trim()
    .min(1, 'must not be empty')
    .max(8_000, 'must be at most 8,000 characters'),
});

/** The application: fetch handler, and the same by path for tests. */
export interface App {
  fetch(request: Request): Response | Promise<Response>;
  request(path: string, init?: RequestInit): Response | Promise<Response>;
}

type Tenant = { Variables: { tenantId: string } };

/**
 * What was answered is billed: `POST /query` waits until its event is on the disk (about a millisecond,
 * requests at the same time share one write) or stored, so that a kill loses none of them.
 *
 * @example
 * const app = createApp({ keys, gate, tracker, clickhouse, limitsOf });
 * await app.request('/query', { method: 'POST', headers, body: '{"question":"What is a meter?"}' });
 */
export function createApp(options: AppOptions): App {
  const {
    keys,
    gate,
    tracker,
    clickhouse,
    limitsOf,
    answerer = stubAnswerer,
    now = () => new Date(),
  } = options;
  const app = new Hono<Tenant>();

  app.notFound((context) => problem(404, `There is no route ${context.req.method} ${context.req.path}`));
  app.onError((error) => {
    if (error instanceof InvalidInputError || error instanceof RangeError) return problem(400, error.message);
    console.error(error);
    return problem(500, 'The request failed for a reason of ours');
  });

  app.get('/health', async (context) => {
    const state = await healthOf({ clickhouse, gate, tracker });
    return context.json(state, state.status === 'ok' ? 200 : 503);
  });

  const { metrics } = options;
  if (metrics) {
    app.get('/metrics', async () => {
      return new Response(await metrics(), {
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      });
    });
  }

  const { webhooks } = options;
  if (webhooks) {
    app.post('/webhooks/stripe', limitBody(WEBHOOK_LIMIT), (context) => webhooks(context.req.raw));
  }

  // The one place that decides which tenant a request is.
  const authenticate = async (context: Context<Tenant>, next: () => Promise<void>) => {
    const [, key] = /^Bearer (\S+)$/.exec(context.req.header('authorization') ?? '') ?? [];
    const tenantId = key && keys.tenantOf(key);
    if (!tenantId) {
      return problem(401, 'Send a key of a tenant: Authorization: Bearer <key>', {
        'www-authenticate': 'Bearer',
      });
    }
    context.set('tenantId', tenantId);
    return next();
  };
  app.use('/query', authenticate);
  app.use('/api/*', authenticate);

  app.post('/query', limitBody(BODY_LIMIT), async (context) => {
    if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) {
      return problem(415, 'Send the question as application/json');
    }
    const { question } = parseInput(queryBody, 'query', await readJson(context));
    // What cannot be recorded is not begun: memory would grow without end.
    if (tracker.isFull) return problem(503, 'Usage cannot be recorded right now', { 'retry-after': '5' });
    const tenantId = context.get('tenantId');
    const limits = await limitsOf(tenantId);
    if (typeof limits === 'string') return refusedTenant(limits);
    const request = {
      tenantId,
      amounts: { queries: 1, tokens: answerer.mostTokens(question) },
      limits,
      now: now(),
    };
    const decision = await gate.reserve(request).catch((error: unknown) => {
      if (error instanceof InvalidInputError) throw error;
      console.error(error);
      return undefined;
    });
    if (!decision) return problem(503, 'The quota cannot be looked up right now', { 'retry-after': '5' });
    const headers = rateLimitHeaders(decision, request.now);
    if (!decision.allowed) {
      return problem(429, `The day's quota of ${decision.refusedBy} is used up`, headers);
    }
    let used = 0;
    const call = { tenantId, timestamp: request.now, endpoint: '/query' };
    const { answer, event } = await trackUsage(tracker, call, async (report) => {
      const given = await answerer.answer(question);
      used = given.tokensInput + given.tokensOutput;
      report({ model: given.model, tokensInput: given.tokensInput, tokensOutput: given.tokensOutput });
      return given;
    }).finally(() => {
      const unused = Math.max(0, request.amounts.tokens - used);
      // Without its refund the day's count is only too high; the answer does not depend on it.
      return gate.refund({ ...request, amounts: { queries: 0, tokens: unused } }).catch(() => undefined);
    });
    // The answer was paid for and is given in any case; where neither the disk nor ClickHouse takes its
    // event, that waits in memory, and /health says so.
    await tracker.durable?.().catch((error: unknown) => console.error(error));
    return context.json(
      {
        answer: answer.text,
        usage: {
          event_id: event.event_id,
          tokens_input: event.tokens_input,
          tokens_output: event.tokens_output,
          cost_usd: event.cost_usd,
        },
      },
      200,
      headers,
    );
  });

  app.get('/api/tenants/:id/usage', async (context) => {
    const tenantId = context.get('tenantId');
    if (context.req.param('id') !== tenantId) return problem(403, 'A key opens its own tenant only');
    if (clickhouse.mode === 'off') return problem(503, `Usage is not available: ${clickhouse.skip}`);
    const { start_date: startDate = '', end_date: endDate = '' } = context.req.query();
    parseDay(startDate);
    return context.json(await readUsage(clickhouse.client, { tenantId, startDate, endDate }));
  });

  return app;
}

const limitBody = (maxSize: number) =>
  bodyLimit({ maxSize, onError: () => problem(413, `The body must be at most ${maxSize} bytes`) });

async function readJson(context: Context): Promise<unknown> {
  try {
    return await context.req.json();
  } catch (error) {
    throw new InvalidInputError('query', 'body', 'must be JSON', { cause: error });
  }
}
