import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLocalStripe, type LocalStripe } from '../../../src/local-stripe/create-local-stripe.js';
import type { Notice } from '../../../src/notifier.js';
import { type Listening, listen } from '../../../src/server/listen.js';
import type { PrivateRedis } from '../../../src/services/private-redis.js';
import { STEPS } from '../../../src/tenants/onboarding/steps.js';
import { NOW } from '../../support/events.js';
import { type Fronted, openFronted } from '../../support/fronted.js';
import { type SignupAnswer, type StatusAnswer, signupOf } from '../../support/onboarding.js';
import { openPrivateRedis } from '../../support/private-redis.js';

/**
 * A process that takes signups and does their steps is killed at one of them, and started again. Stripe,
 * ClickHouse, Redis and the receiver of messages stay.
 */
const SCRIPT = fileURLToPath(new URL('../../support/onboarding-child.mjs', import.meta.url));

let engine: Fronted;
let redis: PrivateRedis;
let local: LocalStripe;
let stripe: Listening;
let receiver: Listening;
const received: Notice[] = [];
let child: ChildProcess | undefined;
beforeAll(async () => {
  [engine, redis] = await Promise.all([openFronted(), openPrivateRedis()]);
  local = createLocalStripe({ seed: 'crash', now: () => NOW });
  stripe = await listen(local);
  const app = new Hono().post('/notices', async (context) => {
    received.push(await context.req.json());
    return context.body(null, 204);
  });
  receiver = await listen(app as never);
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await Promise.all([stripe.close(), receiver.close()]);
  await Promise.all([engine.close(), redis.close()]);
});

/** Starts the process; its lines are its address, and that it has halted. */
async function start(haltAt?: string) {
  const { port, password } = redis.client.options;
  const given = {
    ...{ redis: { port, password }, clickhouse: engine.front.url, stripe: stripe.url },
    ...{ notices: `${receiver.url}/notices`, now: NOW.getTime(), haltAt },
  };
  const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore'];
  const begun = spawn(process.execPath, [SCRIPT, JSON.stringify(given)], { stdio });
  child = begun;
  const lines = createInterface(begun.stdout)[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value as string;
  const url = await line();
  const kill = async () => {
    const ended = once(begun, 'exit');
    begun.kill('SIGKILL');
    await ended;
  };
  return { url, halted: line, kill };
}

async function signUp(url: string, company: string): Promise<SignupAnswer> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(signupOf(company));
  const response = await fetch(`${url}/signup`, { method: 'POST', headers, body });
  expect(response.status).toBe(202);
  return (await response.json()) as SignupAnswer;
}

/** Starts the process anew, and looks at what came of the tenant. */
async function expectActive({ tenant_id, status_url, api_key }: SignupAnswer): Promise<void> {
  const { url, kill } = await start();
  const headers = { authorization: `Bearer ${api_key}` };
  const state = async () =>
    ((await (await fetch(`${url}${status_url}`, { headers })).json()) as StatusAnswer).state;
  await vi.waitFor(async () => expect(await state()).toBe('active'), { timeout: 40_000, interval: 100 });
  await kill();
  const client = local.client();
  const customers = (await client.customers.list({ limit: 100 })).data.filter(
    ({ metadata }) => metadata.tenant_id === tenant_id,
  );
  const customer = customers[0]?.id ?? '';
  const subscriptions = await client.subscriptions.list({ customer, status: 'all' });
  const cards = await client.paymentMethods.list({ customer });
  const welcomes = received.filter(({ tenantId }) => tenantId === tenant_id);
  expect([
    customers.length,
    cards.data.length,
    subscriptions.data.map(({ status }) => status),
    // One that was sent just before the kill comes again, with the id of the first.
    new Set(welcomes.map(({ id }) => id)).size,
  ]).toEqual([1, 1, ['trialing'], 1]);
}

/** In the suite every fourth step, beginnings and ends in turn; `npm run crash` sets 1. */
const EVERY = Number(process.env.STEPS_EVERY ?? '4');

describe('a process that is killed', () => {
  it.each([
    ['begins', 0],
    ['ends', 1],
  ] as const)(
    'where each step %s, again and again, ends with an active tenant',
    async (moment, first) => {
      const steps = STEPS.filter((_, index) => index % EVERY === first % EVERY);
      let answer: SignupAnswer | undefined;
      for (const step of steps) {
        const { url, halted, kill } = await start(`${step} ${moment}`);
        answer ??= await signUp(url, `Acme ${moment}`);
        expect(await halted()).toBe('halted');
        await kill();
      }
      await expectActive(answer as SignupAnswer);
    },
    180_000,
  );

  it('right after it has answered keeps what it promised', async () => {
    const { url, kill } = await start();
    const answer = await signUp(url, 'Acme answered');
    await kill();
    await expectActive(answer);
  });

  it('with its Redis wiped as well, too', async () => {
    const { url, halted, kill } = await start('welcome ends');
    const answer = await signUp(url, 'Acme wiped');
    expect(await halted()).toBe('halted');
    await kill();
    await redis.client.flushall();
    await expectActive(answer);
  });
});
