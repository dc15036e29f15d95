import type Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { openTestClock, type TestClock } from '../../src/billing/test-clock.js';
import { DunningLedger } from '../../src/dunning/dunning-ledger.js';
import { DunningManager } from '../../src/dunning/dunning-manager.js';
import { createLocalStripe, type LocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import type { Notice } from '../../src/notifier.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { readStanding } from '../../src/tenants/standing.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { openPrivateRedis } from '../support/private-redis.js';

/** A tenant subscribes on 1 November; its card fails from 1 December on. */
let engine: Embedded;
let redis: PrivateRedis;
beforeAll(async () => {
  [engine, redis] = await Promise.all([openEmbedded(), openPrivateRedis()]);
});
afterAll(async () => {
  await engine.close();
  await redis.close();
});

const DAY = 86_400_000;
/** The renewal of 1 December is charged an hour after it was made. */
const FIRST_FAILURE = Date.parse('2025-12-01T01:00:00Z');

let now: Date;
let local: LocalStripe;
let stripe: Stripe;
let clock: TestClock;
let customerId: string;
let told: Notice[];
let dunning: DunningManager;

async function managerOf(): Promise<DunningManager> {
  const notifier = { notify: async (notice: Notice) => void told.push(notice) };
  const ledger = await DunningLedger.open(engine.clickhouse);
  return new DunningManager(stripe, { redis: redis.client, ledger, notifier, now: () => now });
}

async function advance(to: number): Promise<void> {
  now = new Date(to);
  await clock.advanceTo(now);
  await local.settled();
}

/** Some hours into a day of the ladder. */
const dayOf = (day: number) => FIRST_FAILURE + (day - 1) * DAY + 6 * 3_600_000;
const check = async () => (await dunning.checkCustomer(customerId))?.actions;
const standing = () => readStanding(redis.client, 'acme-corp');

beforeEach(async () => {
  await engine.command('DROP TABLE IF EXISTS dunning_actions');
  await redis.client.flushall();
  told = [];
  now = new Date('2025-11-01T00:00:00Z');
  local = createLocalStripe({ seed: 'dunning', clockLimits: false, endOfRetries: 'unpaid' });
  stripe = local.client();
  clock = openTestClock(stripe, { start: now });
  const catalogue = await ensureCatalogue(stripe);
  const billing = new StripeBillingManager(stripe, { catalogue, testClock: clock });
  customerId = await billing.getOrCreateCustomer({
    tenantId: 'acme-corp',
    email: 'a@example.com',
    name: 'Acme',
  });
  await billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_visa' });
  await billing.createSubscription({ customerId, planType: 'starter', tenantId: 'acme-corp', trialDays: 0 });
  const from = new Date('2025-12-01T00:30:00Z');
  local.failCard({ customer: customerId, from, until: new Date('2026-02-01T00:00:00Z') });
  dunning = await managerOf();
});

const latest = async () => (await stripe.invoices.list({ customer: customerId, limit: 1 })).data[0];

describe('an invoice that is not paid', () => {
  it('brings a reminder, a warning, reduced limits and suspension, each once', async () => {
    expect(await check()).toEqual([]);
    const seen: [number, unknown, string][] = [];
    for (let day = 1; day <= 10; day += 1) {
      await advance(dayOf(day));
      const actions = await check();
      expect(await check()).toEqual([]);
      if (actions?.length) seen.push([day, actions, await standing()]);
    }
    expect(seen).toEqual([
      [1, ['reminder_sent'], 'good'],
      [4, ['warning_sent'], 'good'],
      [7, ['rate_limit_reduced'], 'reduced'],
      [8, ['service_suspended'], 'suspended'],
    ]);
    expect(told.map(({ topic, text }) => [topic, text.includes('$29.00')])).toEqual([
      ['reminder_sent', true],
      ['warning_sent', true],
      ['rate_limit_reduced', true],
      ['service_suspended', true],
    ]);
  });

  it('is tried again on days 3, 7 and 14, and the ladder does not start anew', async () => {
    await advance(dayOf(16));
    expect((await latest())?.attempt_count).toBe(4);
    expect(await check()).toEqual([
      'reminder_sent',
      'warning_sent',
      'rate_limit_reduced',
      'service_suspended',
    ]);
  });

  it.each([2, 5, 7, 9, 14])('paid on day %i gives all back at once', async (day) => {
    for (let today = 1; today <= day; today += 1) {
      await advance(dayOf(today));
      await check();
    }
    const invoice = await latest();
    await stripe.invoices.pay(invoice?.id ?? '', { paid_out_of_band: true });
    expect(await check()).toEqual(['reactivated']);
    expect(await standing()).toBe('good');
    expect(await check()).toEqual([]);
    expect(told.at(-1)?.text).toBe('Thank you, all is paid; your limits are as before');
    await advance(dayOf(day + 1));
    expect(await check()).toEqual([]);
  });

  it('is known after a restart, and after a wiped Redis, and nobody is told twice', async () => {
    await advance(dayOf(8));
    await check();
    await redis.client.flushall();
    dunning = await managerOf();
    expect(await check()).toEqual([]);
    expect(await standing()).toBe('suspended');
    expect(told).toHaveLength(4);
  });

  it('that nobody noticed for days brings all that was missed', async () => {
    await advance(dayOf(5));
    expect(await check()).toEqual(['reminder_sent', 'warning_sent']);
  });
});

describe('a failed payment by its count', () => {
  it.each([
    [1, 'reminder_sent', 'good'],
    [2, 'warning_sent', 'good'],
    [3, 'rate_limit_reduced', 'reduced'],
    [4, 'service_suspended', 'suspended'],
    [9, 'service_suspended', 'suspended'],
  ])('%i is %s', async (failureCount, action, then) => {
    const payment = { tenantId: 'tenant_001', failureCount, invoiceAmount: 2_900 };
    expect(await dunning.processFailedPayment(payment)).toEqual({ action });
    expect(await readStanding(redis.client, 'tenant_001')).toBe(then);
    const count = told.length;
    await dunning.processFailedPayment(payment);
    expect(told).toHaveLength(count);
    expect(await dunning.reactivateTenant('tenant_001')).toEqual({ action: 'reactivated' });
    expect(await readStanding(redis.client, 'tenant_001')).toBe('good');
  });

  it('must be a count', async () => {
    await expect(
      dunning.processFailedPayment({ tenantId: 'tenant_001', failureCount: 0, invoiceAmount: 1 }),
    ).rejects.toThrow('failureCount must be at least 1, current value is 0');
  });
});
