import { vi } from 'vitest';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import type { Notice, Notifier } from '../../src/notifier.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import type { AppOptions } from '../../src/server/app.js';
import { listen } from '../../src/server/listen.js';
import { type StartTenantsOptions, startTenants } from '../../src/server/start-tenants.js';
import { webhookRoute } from '../../src/server/webhook-route.js';
import type { Service } from '../../src/service.js';
import type { StepState } from '../../src/tenants/onboarding/progress.js';
import type { Embedded } from './embedded.js';
import { NOW } from './events.js';
import { testApp } from './test-app.js';

/** What is sent to sign up; each company has an e-mail of its own. */
export const signupOf = (company: string, more: Record<string, unknown> = {}) => ({
  company,
  email: `${company.toLowerCase().replace(/[^a-z0-9]/g, '.')}@example.com`,
  plan: 'starter',
  payment_method: 'pm_card_visa',
  ...more,
});

/** The answer to a signup. */
export interface SignupAnswer {
  readonly tenant_id: string;
  readonly state: string;
  readonly api_key: string;
  readonly status_url: string;
}

/** The answer to `GET /api/tenants/{id}`. */
export interface StatusAnswer {
  readonly tenant_id: string;
  readonly plan: string;
  readonly state: string;
  readonly reason?: string;
  readonly trial_ends_at?: string;
  readonly steps: readonly StepState[];
}

/** What there is of a tenant at Stripe: how many customers and cards, and its subscriptions' states. */
export interface AtStripe {
  readonly customers: number;
  readonly cards: number;
  readonly subscriptions: string[];
}

export interface OnboardingBenchOptions
  extends Pick<StartTenantsOptions, 'trace' | 'trialDays' | 'webhookMs' | 'queue' | 'everyMs'> {
  readonly notifier?: Notifier;
  /** Whether Stripe posts its webhooks. @default true */
  readonly webhooks?: boolean;
  readonly app?: Partial<AppOptions>;
  /** @default NOW, for ever */
  readonly now?: () => Date;
}

export type OnboardingBench = Awaited<ReturnType<typeof onboardingBench>>;

const on = <Client>(client: Client): Service<Client> => ({ mode: 'embedded', client, address: '' });

/** Each Stripe has ids of its own: the queue of webhooks remembers those of events. */
let benches = 0;

/** The whole: a Stripe of its own that posts webhooks to the application, its workers, and the application. */
export async function onboardingBench(
  { clickhouse, redis }: Pick<Embedded, 'clickhouse' | 'redis'>,
  options: OnboardingBenchOptions = {},
) {
  const told: Notice[] = [];
  const { notifier = { notify: async (notice: Notice) => void told.push(notice) } } = options;
  const { now = () => NOW } = options;
  const local = createLocalStripe({ seed: `onboarding ${benches++}`, now });
  const stripe = local.client({ maxNetworkRetries: 0 });
  const services = { clickhouse: on(clickhouse), redis: on(redis), stripe: on(stripe) };
  const tenants = await startTenants(services, { everyMs: 3_600_000, ...options, notifier, now });
  if (!tenants) throw new Error('all services are on');
  let app: ReturnType<typeof testApp> | undefined;
  // The endpoint's secret is known once its address is.
  const server = await listen({
    fetch: (request) => app?.app.fetch(request) ?? new Response(null, { status: 503 }),
  });
  const url = `${server.url}/webhooks/stripe`;
  const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ['*'] });
  if (options.webhooks === false) await stripe.webhookEndpoints.del(endpoint.id);
  app = testApp({
    ...{ ...tenants, now, clickhouse: services.clickhouse },
    gate: redisQuotaGate(redis),
    webhooks: webhookRoute({ secret: endpoint.secret ?? '', queue: tenants.queue }),
    ...options.app,
  });
  const { app: handler, tracked } = app;
  const headersOf = (key?: string) => ({
    'content-type': 'application/json',
    ...(key && { authorization: `Bearer ${key}` }),
  });
  const post = async (path: string, body: object, key?: string) =>
    handler.request(path, { method: 'POST', headers: headersOf(key), body: JSON.stringify(body) });
  const get = async (path: string, key: string) => handler.request(path, { headers: headersOf(key) });
  const statusOf = async ({ status_url, api_key }: Pick<SignupAnswer, 'status_url' | 'api_key'>) =>
    (await (await get(status_url, api_key)).json()) as StatusAnswer;
  return {
    ...tenants,
    app: handler,
    ...{ local, stripe, told, tracked, post, get, statusOf },
    topics: (tenantId: string) =>
      told.filter((notice) => notice.tenantId === tenantId).map(({ topic }) => topic),
    signUp: async (signup: object) => (await (await post('/signup', signup)).json()) as SignupAnswer,
    ask: (key: string) => post('/query', { question: 'What is a meter?' }, key),
    /** Waits for a state, and gives what the tenant then reads. */
    reaches: (
      answer: Pick<SignupAnswer, 'status_url' | 'api_key'>,
      wanted: (status: StatusAnswer) => boolean,
    ) =>
      vi.waitFor(
        async () => {
          const status = await statusOf(answer);
          if (!wanted(status)) throw new Error(`it is ${JSON.stringify(status)}`);
          return status;
        },
        // Each look asks ClickHouse twice: every 10 ms they took a third of the processor time.
        { timeout: 55_000, interval: 100 },
      ),
    atStripe: async (tenantId: string): Promise<AtStripe> => {
      const customers = (await stripe.customers.list({ limit: 100 })).data.filter(
        ({ metadata }) => metadata.tenant_id === tenantId,
      );
      const of = async <Item>(list: (customer: string) => Promise<{ data: Item[] }>) =>
        (await Promise.all(customers.map(({ id }) => list(id)))).flatMap(({ data }) => data);
      return {
        customers: customers.length,
        cards: (await of((customer) => stripe.paymentMethods.list({ customer }))).length,
        subscriptions: (await of((customer) => stripe.subscriptions.list({ customer, status: 'all' }))).map(
          ({ status }) => status,
        ),
      };
    },
    async close() {
      await server.close();
      await tenants.close();
    },
  };
}

export const isActive = ({ state }: StatusAnswer): boolean => state === 'active';
/** The step that failed, if one did. */
export const failedStep = ({ steps }: StatusAnswer): StepState | undefined =>
  steps.find(({ state }) => state === 'failed');
