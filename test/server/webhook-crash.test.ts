import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import Stripe from 'stripe';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { HANDLED_TYPES } from '../../src/billing/webhooks/handle-webhook.js';
import { WebhookQueue } from '../../src/billing/webhooks/webhook-queue.js';
import type { Notice } from '../../src/notifier.js';
import { type Listening, listen } from '../../src/server/listen.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { type BilledTenant, billedTenant, dunningDayAt } from '../support/billed-tenant.js';
import { type Fronted, openFronted } from '../support/fronted.js';
import { openPrivateRedis } from '../support/private-redis.js';
import { seeded } from '../support/seeded.js';

/**
 * A server that takes webhooks and two workers that handle them, each a process that is killed at any
 * moment and started again. Stripe, ClickHouse, Redis and the receiver of messages stay.
 */
const SEED = Number(process.env.CRASH_SEED ?? 5);
const KILLS = Number(process.env.CRASH_WEBHOOK_KILLS ?? 6);
const TENANTS = ['acme-corp', 'beta-inc', 'charlie-co', 'delta-llc', 'echo-ltd', 'foxtrot-ag'];
const secret = 'whsec_of_the_tests';
const script = fileURLToPath(new URL('../support/webhook-child.mjs', import.meta.url));

let engine: Fronted;
let redis: PrivateRedis;
let stripeServer: Listening;
let receiver: Listening;
let tenant: BilledTenant;
const received: Notice[] = [];
let whenReceived: () => void = () => undefined;
const children = new Map<string, ChildProcess>();
const ready = new Set<string>();

beforeAll(async () => {
  [engine, redis] = await Promise.all([openFronted(), openPrivateRedis()]);
  const [first, ...others] = TENANTS;
  tenant = await billedTenant({ ...engine, redis: redis.client }, { tenantId: first ?? '' });
  tenant.failCard();
  for (const tenantId of others) {
    const customerId = await tenant.billing.createCustomer({
      tenantId,
      email: 'b@example.com',
      name: tenantId,
    });
    await tenant.billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_visa' });
    await tenant.billing.createSubscription({ customerId, planType: 'pro', tenantId, trialDays: 0 });
    const [from, until] = [new Date('2025-12-01T00:30:00Z'), new Date('2026-02-01T00:00:00Z')];
    tenant.local.failCard({ customer: customerId, from, until });
  }
  await tenant.advance(dunningDayAt(8));
  // Beside the suspension another message for each tenant.
  const charges = await tenant.stripe.charges.list({ limit: 100 });
  for (const { id, status } of charges.data) if (status === 'succeeded') tenant.local.dispute(id);
  stripeServer = await listen(tenant.local);
  const app = new Hono().post('/notices', async (context) => {
    received.push(await context.req.json());
    whenReceived();
    return context.body(null, 204);
  });
  receiver = await listen(app as never);
});
afterAll(async () => {
  for (const child of children.values()) child.kill('SIGKILL');
  await Promise.all([stripeServer.close(), receiver.close()]);
  await Promise.all([engine.close(), redis.close()]);
});

/** Starts a process, on the port that it had before. */
async function start(name: string, port: number): Promise<void> {
  const { options } = redis.client;
  const given = {
    role: name === 'server' ? 'server' : 'worker',
    port,
    secret,
    clickhouse: engine.front.url,
    redis: { port: options.port, password: options.password },
    stripe: stripeServer.url,
    notices: `${receiver.url}/notices`,
    now: tenant.clock().getTime(),
  };
  const child = spawn(process.execPath, [script, JSON.stringify(given)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  children.set(name, child);
  const failed = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`${name} ended with ${code}`)),
  );
  failed.catch(() => undefined);
  await Promise.race([once(child.stdout, 'data'), failed]);
  ready.add(name);
}

it('every event is handled, and each effect is there once, whatever is killed', async () => {
  const random = seeded(SEED);
  const taken = await listen({ fetch: () => new Response() });
  await taken.close();
  const port = Number(new URL(taken.url).port);
  await Promise.all(['server', 'worker 1', 'worker 2'].map((name) => start(name, port)));
  const restarts: Promise<void>[] = [];
  const kill = (name: string) => {
    const child = children.get(name) as ChildProcess;
    const ended = once(child, 'exit');
    ready.delete(name);
    child.kill('SIGKILL');
    restarts.push(ended.then(() => start(name, port)));
  };
  const plan = (count: number, below: number) =>
    Array.from({ length: count }, () => 1 + random.below(below)).sort((a, b) => a - b);
  const serverKills = plan(KILLS / 2, 40);
  // Of the messages, of which there are more: one was sent, and is not yet written down as sent.
  const workerKills = plan(KILLS / 2, 10);
  whenReceived = () => {
    const alive = ['worker 1', 'worker 2'].filter((name) => ready.has(name));
    if (received.length < (workerKills[0] ?? Number.POSITIVE_INFINITY) || alive.length === 0) return;
    workerKills.shift();
    kill(random.pick(alive));
  };

  const listed = await tenant.stripe.events
    .list({ types: [...HANDLED_TYPES], limit: 100 })
    .autoPagingToArray({ limit: 10_000 });
  const posted = random.shuffle([...listed, ...listed.slice(0, 10)]);
  for (const [index, event] of posted.entries()) {
    const body = JSON.stringify(event);
    const post = async () => {
      const headers = {
        'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload: body, secret }),
      };
      const response = await fetch(`http://127.0.0.1:${port}/webhooks/stripe`, {
        method: 'POST',
        headers,
        body,
      });
      expect(response.status).toBe(200);
    };
    const answer = vi.waitFor(post, { timeout: 20_000, interval: 20 });
    if (index >= (serverKills[0] ?? Number.POSITIVE_INFINITY) && ready.has('server')) {
      serverKills.shift();
      kill('server');
    }
    await answer;
  }
  const queue = new WebhookQueue(redis.client);
  await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), { timeout: 90_000, interval: 50 });
  whenReceived = () => undefined;
  await Promise.all(restarts);
  expect(await queue.deadLetters()).toEqual([]);
  await queue.close();

  expect([serverKills, workerKills, restarts.length]).toEqual([[], [], KILLS]);
  const topics = ['dispute_created', 'service_suspended'];
  const told = new Map(received.map((notice) => [notice.id, notice]));
  const topicsOf = (tenantId: string) =>
    [...told.values()]
      .filter(({ id }) => id?.startsWith(`${tenantId}:`))
      .map(({ topic }) => topic)
      .sort();
  expect(TENANTS.map(topicsOf)).toEqual(TENANTS.map(() => topics));
  const forUs = received.filter((notice) => notice.tenantId === undefined);
  expect(new Set(forUs.map(({ topic }) => topic))).toEqual(new Set(['dispute_created']));
  // What came twice was sent by one that was killed, and comes with the id of the first.
  expect(received.length - told.size).toBeLessThanOrEqual(KILLS * topics.length);
  expect(
    await engine.rows(`
      SELECT tenant_id, count() AS steps, min(told) AS told
      FROM tenant_ledger FINAL
      GROUP BY tenant_id
      ORDER BY tenant_id`),
  ).toEqual(TENANTS.map((tenant_id) => ({ tenant_id, steps: 5, told: 1 })));
  expect(
    await engine.rows(
      `SELECT tenant_id, count() AS rows FROM tenant_quotas GROUP BY tenant_id ORDER BY tenant_id`,
    ),
  ).toEqual(TENANTS.map((tenant_id) => ({ tenant_id, rows: 1 })));
}, 180_000);
