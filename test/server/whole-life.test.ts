import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sha256 } from '../../src/invoices/seal.js';
import { createLocalStripe, type LocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { DAY_MS, HOUR_MS } from '../../src/period.js';
import { type RunningServer, startServer } from '../../src/server/start-server.js';
import type { StartedTenants } from '../../src/server/start-tenants.js';
import type { Service } from '../../src/service.js';
import { ACCOUNT_SETTINGS } from '../../src/services/stripe.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { purgeDue } from '../../src/tenants/purge-tenant.js';
import { winBack } from '../../src/tenants/win-back.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { everyStore, found } from '../tenants/every-store.js';

const on = <Client>(client: Client): Service<Client> => ({ mode: 'embedded', client, address: '' });
const PERSON = { company: 'Kaethe Kleinbetrieb', email: 'kaethe@kleinbetrieb.example' };
const tenantId = 'kaethe-kleinbetrieb';

let engine: Embedded;
let local: LocalStripe;
let server: RunningServer;
let tenants: StartedTenants;
let key = '';
let now = new Date('2025-11-03T09:00:00Z');
const told: string[] = [];
beforeAll(async () => {
  engine = await openEmbedded();
  const clock = () => now;
  local = createLocalStripe({ ...ACCOUNT_SETTINGS, now: clock, file: join(engine.folder, 'stripe.jsonl') });
  const { clickhouse, redis, folder: workspace } = engine;
  server = await startServer(
    {
      ...{ clickhouse: on(clickhouse), redis: on(redis), stripe: on(local.client({ maxNetworkRetries: 0 })) },
      ...{ workspace, unsent: [], close: async () => undefined },
    },
    { now: clock, trialDays: 0, notifier: { notify: async ({ topic }) => void told.push(topic) } },
  );
  if (!server.tenants) throw new Error('all services are on');
  tenants = server.tenants;
});
afterAll(async () => {
  await server?.close();
  await local?.close();
  await engine?.close();
});

const send = async (method: string, path: string, body?: object) =>
  fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
const ask = async () => (await send('POST', '/query', { question: 'What is a meter?' })).status;
const state = async () => (await tenants.lifecycle.read(tenantId))?.state;
const reaches = (wanted: string) => vi.waitFor(async () => expect(await state()).toBe(wanted), 30_000);
/** Stripe does what is due by then; its webhooks are handled, and a round of the dunning is made. */
const passTo = async (instant: string) => {
  for (const end = new Date(instant); now < end; ) {
    now = new Date(Math.min(end.getTime(), now.getTime() + DAY_MS));
    await local.tick();
    await local.settled();
    await tenants.queue.settled();
    await tenants.dunning.checkAll();
  }
};

// Each goes on where the one before ended.
describe('the life of a tenant, through the whole service', () => {
  it('begins with a signup, and has its limits when it is active', async () => {
    const signup = { ...PERSON, plan: 'starter', payment_method: 'pm_card_visa' };
    const answer = await fetch(`${server.url}/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(signup),
    });
    key = ((await answer.json()) as { api_key: string }).api_key;
    expect(answer.status).toBe(202);
    await reaches('active');
    expect(await ask()).toBe(200);
    expect(told).toEqual(['welcome']);
  });

  it('takes a larger plan at once', async () => {
    const answer = await send('POST', `/api/tenants/${tenantId}/plan`, { plan: 'pro' });
    expect([answer.status, await tenants.limitsOf(tenantId)]).toMatchObject([200, { queries: 20_000 }]);
  });

  it('is suspended when it does not pay, and back when it does', async () => {
    const customerId = (await tenants.billing.findCustomer(tenantId)) ?? '';
    await tenants.billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_chargeCustomerFail' });
    await passTo('2025-12-14T00:00:00Z');
    expect([await state(), await ask()]).toEqual(['suspended', 402]);
    await tenants.billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_mastercard' });
    now = new Date(now.getTime() + HOUR_MS);
    await tenants.billing.payOpenInvoices(customerId);
    await reaches('active');
    expect(await ask()).toBe(200);
  });

  it('is cancelled when its subscription ends at Stripe', async () => {
    const customerId = (await tenants.billing.findCustomer(tenantId)) ?? '';
    const { subscriptionId = '' } = (await tenants.billing.findSubscription(customerId)) ?? {};
    now = new Date(now.getTime() + HOUR_MS);
    await local.client().subscriptions.cancel(subscriptionId);
    await reaches('cancelled');
    expect(await ask()).toBe(403);
  });

  it('comes back with its data', async () => {
    now = new Date(now.getTime() + HOUR_MS);
    ({ key } = await winBack(tenants.parts, { tenantId, by: 'support' }));
    expect([await state(), await ask()]).toEqual(['active', 200]);
  });

  it('is deleted, and thirty days later nothing personal is left anywhere', async () => {
    const customer = (await tenants.billing.findCustomer(tenantId)) ?? '';
    const [card] = (await local.client().paymentMethods.list({ customer })).data;
    const secrets = [key, sha256(key), card?.id ?? 'no card'];
    const words = [PERSON.company, PERSON.email, ...secrets.slice(1)];
    const stores = () =>
      everyStore({ ...engine, stripe: local, files: [join(engine.folder, 'stripe.jsonl')] });
    expect(Object.keys(found(await stores(), words)).sort()).toEqual([...words].sort());

    now = new Date(now.getTime() + HOUR_MS);
    expect((await send('DELETE', `/api/tenants/${tenantId}`)).status).toBe(202);
    expect([await state(), await ask()]).toEqual(['deleted', 401]);
    await passTo('2026-01-15T00:00:00Z');
    expect(await purgeDue(tenants.parts)).toMatchObject([{ tenantId, isComplete: true }]);
    expect(found(await stores(), [...words, key])).toEqual({});
    const log = await readLifecycleLog(engine.clickhouse, tenantId);
    expect(log.map(({ event }) => event)).toEqual([
      ...['sign_up', 'pay', 'complete', 'upgrade', 'complete', 'suspend', 'reactivate'],
      ...['cancel', 'win_back', 'complete', 'delete', 'purge', 'complete'],
    ]);
  });
});
