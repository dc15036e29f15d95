import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { catchUpWebhooks } from '../../src/billing/webhooks/catch-up-webhooks.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import { type Listening, listen } from '../../src/server/listen.js';
import { type StartedWebhooks, startWebhooks } from '../../src/server/start-webhooks.js';
import { webhookRoute } from '../../src/server/webhook-route.js';
import { type BilledTenant, billedTenant, dunningDayAt } from '../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { problemOf, testApp } from '../support/test-app.js';

/**
 * The whole way: the local Stripe posts its events to the application, a worker handles them, and
 * the tenant asks at the gate. The card fails from 1 December on.
 */
let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let tenant: BilledTenant;
let webhooks: StartedWebhooks;
let app: ReturnType<typeof testApp>;
let server: Listening;

const start = () =>
  startWebhooks({
    ...engine,
    stripe: tenant.stripe,
    billing: tenant.billing,
    notifier: { notify: async (notice) => void tenant.told.push(notice) },
    now: tenant.clock,
  });

/** Opens the application, and has Stripe post its events there. */
async function open() {
  webhooks = await start();
  await unsubscribe();
  // The endpoint's secret is known once its address is.
  server = await listen({ fetch: (request) => app.app.fetch(request) });
  const url = `${server.url}/webhooks/stripe`;
  const { secret } = await tenant.stripe.webhookEndpoints.create({ url, enabled_events: ['*'] });
  app = testApp({
    now: tenant.clock,
    gate: redisQuotaGate(engine.redis),
    limitsOf: webhooks.limitsOf,
    webhooks: webhookRoute({ secret, queue: webhooks.queue }),
  });
}

/** From now on Stripe posts nothing. */
async function unsubscribe() {
  const endpoints = await tenant.stripe.webhookEndpoints.list();
  for (const { id } of endpoints.data) await tenant.stripe.webhookEndpoints.del(id);
}

async function close() {
  await server.close();
  await webhooks.close();
}

const handled = () => vi.waitFor(async () => expect(await webhooks.queue.waiting()).toBe(0), 20_000);

/** Goes to a time of the ladder, lets all webhooks be handled, and does what each hour is done. */
async function goTo(time: Date) {
  await tenant.advance(time);
  await handled();
  await webhooks.dunning.checkAll();
}

/** What the gate says: the queries of a day, or the status of a refusal. */
async function atTheGate(): Promise<number> {
  const response = await app.ask();
  const [, limit = `${response.status}`] =
    /"queries";q=(\d+)/.exec(response.headers.get('ratelimit-policy') ?? '') ?? [];
  return Number(limit);
}

beforeEach(async () => {
  for (const table of ['tenant_quotas', 'tenant_ledger'])
    await engine.command(`TRUNCATE TABLE IF EXISTS ${table}`);
  await (engine.redis as unknown as { flushall(): Promise<void> }).flushall();
  tenant = await billedTenant(engine);
  tenant.failCard();
  await open();
});
afterEach(close);

const LADDER = ['reminder_sent', 'warning_sent', 'rate_limit_reduced', 'service_suspended'];

describe('a tenant that does not pay', () => {
  it('is told on days 1, 4, 7 and 8, has half its limits on day 7 and none from day 8 on', async () => {
    const seen: [day: number, atTheGate: number, told: string[]][] = [];
    for (let day = 1; day <= 9; day += 1) {
      const before = tenant.told.length;
      await goTo(dunningDayAt(day));
      seen.push([day, await atTheGate(), tenant.topics().slice(before)]);
    }
    expect(seen).toEqual([
      [1, 2_000, ['reminder_sent']],
      [2, 2_000, []],
      [3, 2_000, []],
      [4, 2_000, ['warning_sent']],
      [5, 2_000, []],
      [6, 2_000, []],
      [7, 1_000, ['rate_limit_reduced']],
      [8, 402, ['service_suspended']],
      [9, 402, []],
    ]);
    expect(await problemOf(await app.ask())).toEqual([
      402,
      'The service is suspended: pay the open invoice, and it is back at once',
    ]);
    expect(app.tracked).toHaveLength(7);
  });

  it.each([2, 5, 7, 9, 14])('and pays on day %i has all its limits back with the webhook', async (day) => {
    await goTo(dunningDayAt(day));
    await tenant.pay();
    await tenant.local.settled();
    await handled();
    expect(await atTheGate()).toBe(2_000);
    expect(tenant.topics().at(-1)).toBe('reactivated');
    await goTo(dunningDayAt(day + 1));
    expect(await atTheGate()).toBe(2_000);
    expect(new Set(tenant.topics()).size).toBe(tenant.told.length);
  });

  it('is tried on days 3, 7 and 14, and is back by itself when the last try goes through', async () => {
    tenant = await billedTenant(engine, { tenantId: 'beta-inc' });
    const until = dunningDayAt(13);
    tenant.local.failCard({ customer: tenant.customerId, from: new Date('2025-12-01T00:30:00Z'), until });
    await close();
    await open();
    const key = app.keys.issue('beta-inc');
    const ask = async () =>
      (await app.post('{"question":"Again?"}', { authorization: `Bearer ${key}` })).status;
    const tries: [day: number, count: number, status: number][] = [];
    for (const day of [1, 2, 3, 6, 7, 8, 13, 14]) {
      await goTo(dunningDayAt(day));
      const [invoice] = (await tenant.stripe.invoices.list({ customer: tenant.customerId })).data;
      tries.push([day, invoice?.attempt_count ?? 0, await ask()]);
    }
    expect(tries).toEqual([
      [1, 1, 200],
      [2, 1, 200],
      [3, 1, 200],
      [6, 2, 200],
      [7, 2, 200],
      [8, 3, 402],
      [13, 3, 402],
      [14, 3, 402],
    ]);
    await goTo(dunningDayAt(15));
    expect([await ask(), tenant.topics()]).toEqual([200, [...LADDER, 'reactivated']]);
  });

  it('is suspended nevertheless when nobody worked from day 5 to day 9, and told of the last step alone', async () => {
    await goTo(dunningDayAt(5));
    await close();
    await tenant.advance(dunningDayAt(9));
    await open();
    const told = ['warning_sent', 'service_suspended'];
    await vi.waitFor(() => expect(tenant.topics()).toEqual(told), 20_000);
    expect(await atTheGate()).toBe(402);
  });
});

describe('after Redis was wiped', () => {
  const wipe = () => (engine.redis as unknown as { flushall(): Promise<void> }).flushall();

  it('the gate knows plan and standing at once, from ClickHouse', async () => {
    await goTo(dunningDayAt(8));
    await wipe();
    expect(await atTheGate()).toBe(402);
    await goTo(dunningDayAt(9));
    expect(await atTheGate()).toBe(402);
    expect(tenant.topics()).toEqual(['service_suspended']);
  });

  it('all comes back from Stripe, and nobody is told anything twice', async () => {
    await goTo(dunningDayAt(8));
    await engine.command('TRUNCATE TABLE tenant_quotas');
    await wipe();
    expect(await catchUpWebhooks(tenant.stripe, webhooks.queue)).toBeGreaterThan(5);
    await handled();
    expect(await atTheGate()).toBe(402);
    expect(tenant.topics()).toEqual(['service_suspended']);
    await tenant.pay();
    await tenant.local.settled();
    await handled();
    expect(await atTheGate()).toBe(2_000);
    expect(tenant.topics()).toEqual(['service_suspended', 'reactivated']);
  });

  it('events that waited in it are read from Stripe again', async () => {
    await goTo(dunningDayAt(8));
    await webhooks.close();
    await unsubscribe();
    await tenant.pay();
    await wipe();
    webhooks = await start();
    await vi.waitFor(() => expect(tenant.topics().at(-1)).toBe('reactivated'), 20_000);
    expect(tenant.topics()).toEqual(['service_suspended', 'reactivated']);
  });
});

describe('startWebhooks()', () => {
  it('does the rounds by itself, for the days on which no webhook comes', async () => {
    await goTo(dunningDayAt(3));
    await webhooks.close();
    webhooks = await startWebhooks({
      ...engine,
      stripe: tenant.stripe,
      notifier: { notify: async (notice) => void tenant.told.push(notice) },
      now: () => dunningDayAt(4),
      everyMs: 5,
    });
    await vi.waitFor(() => expect(tenant.topics()).toEqual(['reminder_sent', 'warning_sent']), 20_000);
  });

  it('goes on after a round that failed', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await webhooks.close();
    await unsubscribe();
    tenant.local.faults = () => 'unavailable';
    webhooks = await startWebhooks({
      ...engine,
      stripe: tenant.local.client({ maxNetworkRetries: 0 }),
      notifier: { notify: async (notice) => void tenant.told.push(notice) },
      now: tenant.clock,
      everyMs: 5,
    });
    await vi.waitFor(
      () => expect(log.mock.calls.flat().join()).toContain('tried again in the next round'),
      20_000,
    );
    tenant.local.faults = () => undefined;
    await tenant.advance(dunningDayAt(1));
    await vi.waitFor(() => expect(tenant.topics()).toEqual(['reminder_sent']), 20_000);
    log.mockRestore();
  });
});
