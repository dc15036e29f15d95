import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { dayOf, monthOf } from '../../src/period.js';
import { runBilling } from '../../src/server/run-billing.js';
import { startTenants } from '../../src/server/start-tenants.js';
import type { Service } from '../../src/service.js';
import { tenantLock } from '../../src/tenants/tenant-lock.js';
import { managerWorld } from '../billing/manager-world.js';
import { eventAbout } from '../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const on = <Client>(client: Client): Service<Client> => ({ mode: 'embedded', client, address: '' });

describe('startTenants()', () => {
  it('reports what was used on the days that are over, in its first round, whatever tenant is busy', async () => {
    let release: () => void = () => undefined;
    const busy = new Promise<void>((resolve) => {
      release = resolve;
    });
    // A company may have the name of a job of ours.
    const atWork = tenantLock(engine.redis)('usage-sync', () => busy);
    onTestFinished(() => atWork);
    onTestFinished(() => release());
    const stripe = createLocalStripe().client();
    const { meterId, ...catalogue } = await ensureCatalogue(stripe);
    const billing = new StripeBillingManager(stripe, { catalogue: { meterId, ...catalogue } });
    const customer = await billing.createCustomer({
      tenantId: 'acme-corp',
      email: 'a@example.com',
      name: 'A',
    });
    const yesterday = new Date(Date.now() - 86_400_000);
    const used = [yesterday, yesterday, new Date()].map((timestamp) => eventOf({ timestamp }, new Date()));
    await storeBatch(engine.clickhouse, used);

    const { clickhouse, redis } = engine;
    const running = await startTenants({ clickhouse: on(clickhouse), redis: on(redis), stripe: on(stripe) });
    onTestFinished(() => running?.close());
    const day = Date.parse(dayOf(yesterday)) / 1_000;
    const reported = async () => {
      const period = { start_time: day, end_time: day + 2 * 86_400 };
      const { data } = await stripe.billing.meters.listEventSummaries(meterId, { customer, ...period });
      return data.map(({ aggregated_value }) => aggregated_value);
    };
    await expect.poll(reported, { timeout: 10_000 }).toEqual([2]);
  });

  it('reports before a change with the lock of the round', async () => {
    const { clickhouse, redis } = engine;
    const world = await managerWorld('2025-11-01T00:00:00Z');
    await world.addCard();
    const { subscriptionId } = await world.subscribe('starter', 0);
    await world.advance('2025-11-10T12:00:00Z');
    const used = new Date('2025-11-05T08:00:00Z');
    await storeBatch(clickhouse, [eventOf({ timestamp: used }, used)]);
    const { stripe, clock: testClock } = world;
    const now = () => testClock.now();
    const { billing } = await runBilling({ stripe, clickhouse, redis, testClock, now });
    const locks: Promise<string | null>[] = [];
    world.local.faults = ({ path }) => {
      if (path.endsWith('/meter_events')) locks.push(redis.get('meterbridge:lock:{:usage-sync}'));
      return undefined;
    };
    await billing.changePlan({ subscriptionId, planType: 'pro' });
    expect(await Promise.all(locks)).toEqual([expect.any(String)]);
  });

  it('changes no plan while what was used under it is not at Stripe', async () => {
    // Subscribed at the beginning of this month.
    let now = monthOf(new Date()).start;
    const local = createLocalStripe({ now: () => now });
    const stripe = local.client();
    const billing = new StripeBillingManager(stripe, { catalogue: await ensureCatalogue(stripe) });
    const contact = { tenantId: 'beta-inc', email: 'b@example.com', name: 'B' };
    const customerId = await billing.createCustomer(contact);
    await billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_visa' });
    const request = { customerId, planType: 'pro', tenantId: 'beta-inc', trialDays: 0 } as const;
    const { subscriptionId } = await billing.createSubscription(request);
    now = new Date();
    const yesterday = new Date(Date.now() - 86_400_000);
    await storeBatch(engine.clickhouse, [eventOf({ tenantId: 'beta-inc', timestamp: yesterday }, yesterday)]);
    // A cheaper plan is due.
    const metadata = { next_plan: 'starter', next_plan_from: '2025-01-01' };
    await stripe.subscriptions.update(subscriptionId, { metadata });

    const calls: string[] = [];
    local.faults = ({ method, path }) => {
      if (method !== 'POST') return undefined;
      const isUsage = path.endsWith('/meter_events');
      const isRefused = isUsage && calls.filter((call) => call === 'refused').length < 16;
      calls.push(isRefused ? 'refused' : isUsage ? 'reported' : path);
      return isRefused ? 'unavailable' : undefined;
    };
    const { clickhouse, redis } = engine;
    const running = await startTenants({ clickhouse: on(clickhouse), redis: on(redis), stripe: on(stripe) });
    onTestFinished(() => running?.close());
    await running?.queue.add(eventAbout('customer.subscription.updated', subscriptionId));
    const plan = async () => (await billing.findSubscription(customerId))?.planType;
    await expect.poll(plan, { timeout: 40_000 }).toBe('starter');
    const changed = calls.indexOf(`/v1/subscriptions/${subscriptionId}`);
    expect(calls.slice(0, changed)).toContain('reported');
    expect(calls.slice(0, changed)).toContain('refused');
  });

  it('charges in its rounds what was held back, when all else was paid in the dashboard', async () => {
    const world = await managerWorld('2025-11-01T00:00:00Z', { endOfRetries: 'unpaid' });
    const { stripe, customerId: customer } = world;
    await world.addCard();
    await world.subscribe('starter', 0);
    await world.addCard('pm_card_chargeCustomerFail');
    await world.advance('2026-01-02T00:00:00Z');
    const [january, december] = (await stripe.invoices.list({ customer })).data;
    expect([january?.status, december?.status]).toEqual(['draft', 'open']);
    await stripe.invoices.pay(december?.id ?? '', { paid_out_of_band: true });

    const { clickhouse, redis } = engine;
    const running = await startTenants({ clickhouse: on(clickhouse), redis: on(redis), stripe: on(stripe) });
    onTestFinished(() => running?.close());
    const status = async () => (await stripe.invoices.retrieve(january?.id ?? '')).status;
    await expect.poll(status, { timeout: 20_000 }).toBe('open');
  });

  it('is not there where one of its services is off', async () => {
    const { clickhouse, redis } = engine;
    const stripe: Service<never> = { mode: 'off', skip: 'OFFLINE=true' };
    expect(await startTenants({ clickhouse: on(clickhouse), redis: on(redis), stripe })).toBeUndefined();
  });
});
