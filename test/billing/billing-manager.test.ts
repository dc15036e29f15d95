import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { openTestClock, type TestClock } from '../../src/billing/test-clock.js';
import { MissingCardError } from '../../src/errors.js';
import {
  createLocalStripe,
  type LocalStripe,
  type LocalStripeOptions,
} from '../../src/local-stripe/create-local-stripe.js';

/** A tenant's life by the clock: it begins in the middle of November. */
let local: LocalStripe;
let stripe: Stripe;
let clock: TestClock;
let billing: StripeBillingManager;
let customerId: string;

const acme = { tenantId: 'acme-corp', email: 'billing@acme.example', name: 'Acme Corp' };
const isoOf = (unix: number | null | undefined) => unix && new Date(unix * 1_000).toISOString();

async function begin(instant: string, options: LocalStripeOptions = {}): Promise<void> {
  local = createLocalStripe({ seed: 'billing', ...options });
  stripe = local.client();
  clock = openTestClock(stripe, { start: new Date(instant) });
  const catalogue = await ensureCatalogue(stripe);
  billing = new StripeBillingManager(stripe, { catalogue, testClock: clock });
  customerId = await billing.getOrCreateCustomer(acme);
}

const advance = (to: string) => clock.advanceTo(new Date(to));

const addCard = () => billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_visa' });
const subscribe = (planType: 'starter' | 'pro', trialDays?: number) =>
  billing.createSubscription({
    customerId,
    planType,
    tenantId: 'acme-corp',
    ...(trialDays !== undefined && { trialDays }),
  });
const invoices = async () =>
  (await stripe.invoices.list({ customer: customerId, limit: 100 })).data.reverse();
const totals = async () => (await invoices()).map(({ total }) => total);

beforeEach(() => begin('2025-11-15T10:00:00Z'));

describe('a customer', () => {
  it('is one, however often and however many at once ask for it', async () => {
    const ids = await Promise.all([1, 2, 3].map(() => billing.getOrCreateCustomer(acme)));
    expect(new Set([...ids, customerId]).size).toBe(1);
    expect((await stripe.customers.list({ test_clock: clock.ids()[0] as string })).data).toHaveLength(1);
  });

  it('is found by its tenant id alone: another may have the same e-mail', async () => {
    const other = await billing.getOrCreateCustomer({ ...acme, tenantId: 'beta-inc' });
    expect(other).not.toBe(customerId);
    expect(await billing.findCustomer('beta-inc')).toBe(other);
  });
});

describe('a subscription', () => {
  it('has a trial to a midnight, and then bills from the 1st on', async () => {
    const { subscriptionId, status, trialEnd } = await subscribe('pro');
    expect(status).toBe('trialing');
    expect(trialEnd?.toISOString()).toBe('2025-11-30T00:00:00.000Z');
    const subscription = await stripe.subscriptions.retrieve(subscriptionId);
    expect(isoOf(subscription.billing_cycle_anchor)).toBe('2025-12-01T00:00:00.000Z');
    await addCard();
    await advance('2025-12-02T00:00:00Z');
    // Nothing for the trial, one day of 30 at $99, and December's fee.
    expect(await totals()).toEqual([0, 330, 9_900]);
  });

  it('may have a trial that ends on the 1st', async () => {
    await begin('2025-10-18T00:00:00Z');
    expect((await subscribe('pro')).trialEnd?.toISOString()).toBe('2025-11-01T00:00:00.000Z');
    await addCard();
    await advance('2025-12-01T02:00:00Z');
    expect(await totals()).toEqual([0, 9_900, 9_900]);
  });

  it('without a trial bills the days that are left at once', async () => {
    await addCard();
    expect((await subscribe('starter', 0)).status).toBe('active');
    const [first] = await totals();
    // 15 days and 14 hours of 30 days at $29.
    expect(first).toBe(Math.round((2_900 * (15 * 24 + 14)) / (30 * 24)));
  });

  it('bills the queries of the day on which it began', async () => {
    await addCard();
    await subscribe('starter', 0);
    await advance('2025-11-16T01:00:00Z');
    const report = { date: '2025-11-15', query_count: 12_000, revision: 1 };
    await billing.reportUsage({ customerId, ...report });
    await advance('2025-12-01T02:00:00Z');
    expect((await totals()).at(-1)).toBe(2_900 + 200);
  });

  it('needs a card or a trial', async () => {
    await expect(subscribe('starter', 0)).rejects.toThrow(new MissingCardError('acme-corp'));
  });

  it('is one, however often it is asked for', async () => {
    const all = await Promise.all([subscribe('pro'), subscribe('pro'), subscribe('pro')]);
    expect(new Set(all.map(({ subscriptionId }) => subscriptionId)).size).toBe(1);
    expect((await subscribe('pro')).subscriptionId).toBe(all[0]?.subscriptionId);
  });

  it('can be made again after the end of the one before', async () => {
    const first = await subscribe('pro');
    await billing.cancelSubscription({ subscriptionId: first.subscriptionId, atPeriodEnd: false });
    const second = await subscribe('pro', 14);
    expect(second.subscriptionId).not.toBe(first.subscriptionId);
    expect(second.status).toBe('trialing');
  });
});

describe('an invoice that was not paid', () => {
  it('is charged to another card, and again when that is declined too', async () => {
    await begin('2025-11-01T00:00:00Z');
    await addCard();
    const { subscriptionId } = await subscribe('starter', 0);
    const declined = { customerId, paymentMethodId: 'pm_card_chargeCustomerFail' };
    await billing.attachPaymentMethod(declined);
    await advance('2025-12-01T02:00:00Z');
    expect((await billing.findSubscription(customerId))?.status).toBe('past_due');
    await expect(billing.payOpenInvoices(customerId)).rejects.toThrow(/declined/);
    await advance('2025-12-01T03:00:00Z');
    await addCard();
    const open = (await billing.invoicesOf(customerId)).at(-1);
    expect(await billing.payOpenInvoices(customerId)).toEqual([open?.invoiceId]);
    expect(await billing.payOpenInvoices(customerId)).toEqual([]);
    expect(await billing.findSubscription(customerId)).toMatchObject({ subscriptionId, status: 'active' });
    expect((await billing.invoicesOf(customerId)).at(-1)).toMatchObject({
      status: 'paid',
      reason: 'subscription_cycle',
      totalCents: 2_900,
      paidCents: 2_900,
    });
  });
});

describe('a subscription that was given up as unpaid', () => {
  it('is active again when all is paid, with what was held back', async () => {
    await begin('2025-11-01T00:00:00Z', { endOfRetries: 'unpaid' });
    await addCard();
    await subscribe('starter', 0);
    await billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_chargeCustomerFail' });
    await advance('2026-02-02T00:00:00Z');
    expect((await billing.findSubscription(customerId))?.status).toBe('unpaid');
    await addCard();
    // December, and the drafts of January and February.
    expect(await billing.payOpenInvoices(customerId)).toHaveLength(3);
    expect((await billing.findSubscription(customerId))?.status).toBe('active');
    await advance('2026-03-02T00:00:00Z');
    const invoices = await billing.invoicesOf(customerId);
    expect(invoices.map(({ status, paidCents }) => [status, paidCents])).toEqual(
      Array(5).fill(['paid', 2_900]),
    );
  });
});

describe('a change of plan', () => {
  beforeEach(async () => {
    await begin('2025-11-01T00:00:00Z');
    await addCard();
  });

  it('to a dearer one holds at once, and costs what was previewed', async () => {
    const { subscriptionId } = await subscribe('starter', 0);
    await advance('2025-11-16T09:30:00Z');
    const preview = await billing.previewPlanChange({ subscriptionId, planType: 'pro' });
    const changed = await billing.changePlan({ subscriptionId, planType: 'pro' });
    expect(changed).toMatchObject({ planType: 'pro', changesAt: null });
    // Half of the month from 00:00 on: -14.50 and +49.50.
    expect(preview.totalCents).toBe(3_500);
    expect((await totals()).at(-1)).toBe(3_500);
    expect(preview.lines.map(({ amountCents }) => amountCents)).toEqual([-1_450, 4_950, 0]); // and the usage so far
  });

  it('is made when the usage so far is reported: the old price bills it', async () => {
    const { subscriptionId } = await subscribe('starter', 0);
    await advance('2025-11-16T09:30:00Z');
    const yesterday = { date: '2025-11-15', query_count: 12_000, revision: 1 };
    const reporting = new StripeBillingManager(stripe, {
      catalogue: await ensureCatalogue(stripe),
      testClock: clock,
      beforeChange: async (tenantId) => {
        expect(tenantId).toBe('acme-corp');
        await billing.reportUsage({ customerId, ...yesterday });
      },
    });
    await reporting.changePlan({ subscriptionId, planType: 'pro' });
    // The difference of half a month, and 2,000 queries beyond the included ones.
    expect((await totals()).at(-1)).toBe(3_500 + 200);
  });

  it('costs nothing more when another has made it while its usage was reported', async () => {
    const { subscriptionId } = await subscribe('starter', 0);
    await advance('2025-11-16T09:30:00Z');
    const change = { subscriptionId, planType: 'pro' } as const;
    const slow = new StripeBillingManager(stripe, {
      catalogue: await ensureCatalogue(stripe),
      testClock: clock,
      beforeChange: async () => void (await billing.changePlan(change)),
    });
    expect(await slow.previewPlanChange(change)).toEqual({ lines: [], totalCents: 0 });
  });

  it('is possible on the day of the subscription', async () => {
    await advance('2025-11-01T09:00:00Z');
    const { subscriptionId } = await subscribe('starter', 0);
    await advance('2025-11-01T10:00:00Z');
    await billing.changePlan({ subscriptionId, planType: 'pro' });
    // The rest of the month from nine o'clock on, as if it had been pro from the beginning.
    const charged = (await totals()).reduce((sum, total) => sum + total, 0);
    expect(charged).toBe(Math.round((9_900 * (29 * 24 + 15)) / (30 * 24)));
  });

  it('to a cheaper one waits for the 1st', async () => {
    const { subscriptionId } = await subscribe('pro', 0);
    await advance('2025-11-16T09:30:00Z');
    const changed = await billing.changePlan({ subscriptionId, planType: 'starter' });
    expect(changed).toMatchObject({ planType: 'pro' });
    expect(changed.changesAt?.toISOString()).toBe('2025-12-01T00:00:00.000Z');
    expect(await billing.applyWaitingChange(subscriptionId)).toBeUndefined();
    expect(await totals()).toEqual([9_900]);

    await advance('2025-12-01T00:00:10Z');
    expect(await billing.applyWaitingChange(subscriptionId)).toMatchObject({ planType: 'starter' });
    expect(await billing.applyWaitingChange(subscriptionId)).toBeUndefined();
    await advance('2025-12-01T02:00:00Z');
    const charged = (await invoices()).reduce((sum, { amount_paid }) => sum + amount_paid, 0);
    expect(charged).toBe(9_900 + 2_900);
  });
});

describe('a change of mind', () => {
  it('in one second is not taken for a repetition', async () => {
    await begin('2025-11-01T00:00:00Z');
    await addCard();
    const { subscriptionId } = await subscribe('pro', 0);
    await advance('2025-11-16T09:30:00Z');
    for (const planType of ['starter', 'pro', 'starter'] as const)
      await billing.changePlan({ subscriptionId, planType });
    await advance('2025-12-01T00:00:10Z');
    expect(await billing.applyWaitingChange(subscriptionId)).toMatchObject({ planType: 'starter' });
  });
});

describe('a change in a trial', () => {
  beforeEach(async () => {
    await begin('2025-11-20T00:00:00Z');
    await addCard();
  });

  it('is made again on the day on which a cheaper plan came, though no invoice was made', async () => {
    const { subscriptionId } = await subscribe('starter', 14);
    await advance('2025-11-30T12:00:00Z');
    await billing.changePlan({ subscriptionId, planType: 'pro' });
    await billing.changePlan({ subscriptionId, planType: 'starter' });
    await advance('2025-12-01T10:00:00Z');
    expect(await billing.applyWaitingChange(subscriptionId)).toMatchObject({ planType: 'starter' });
    expect(await billing.changePlan({ subscriptionId, planType: 'pro' })).toMatchObject({ planType: 'pro' });
  });

  it('is previewed for nothing where the subscription ends with it', async () => {
    const { subscriptionId } = await subscribe('starter', 14);
    await billing.cancelSubscription({ subscriptionId });
    const change = { subscriptionId, planType: 'pro' } as const;
    expect(await billing.previewPlanChange(change)).toEqual({ lines: [], totalCents: 0 });
    expect(await billing.changePlan(change)).toMatchObject({ planType: 'pro', status: 'trialing' });
  });
});

describe('a cancellation', () => {
  it('at once has the usage reported first, with that of today', async () => {
    await begin('2025-11-01T00:00:00Z');
    await addCard();
    const { subscriptionId } = await subscribe('starter', 0);
    await advance('2025-11-10T09:30:00Z');
    const reporting = new StripeBillingManager(stripe, {
      catalogue: await ensureCatalogue(stripe),
      testClock: clock,
      beforeChange: async (tenantId, kind) => {
        expect([tenantId, kind]).toEqual(['acme-corp', 'end']);
        await billing.reportUsage({ customerId, date: '2025-11-10', query_count: 12_000, revision: 1 });
      },
    });
    await reporting.cancelSubscription({ subscriptionId, atPeriodEnd: false });
    const last = (await billing.invoicesOf(customerId)).at(-1);
    expect(last?.lines.map(({ amountCents }) => amountCents)).toContain(200);
  });

  it('at the end of the month leaves the rest of it, and can be repeated', async () => {
    await begin('2025-11-01T00:00:00Z');
    await addCard();
    const { subscriptionId } = await subscribe('pro', 0);
    expect((await billing.cancelSubscription({ subscriptionId })).status).toBe('active');
    await billing.cancelSubscription({ subscriptionId });
    await advance('2025-12-01T02:00:00Z');
    expect((await stripe.subscriptions.retrieve(subscriptionId)).status).toBe('canceled');
    // The last invoice is for usage, and there was none.
    expect(await totals()).toEqual([9_900, 0]);
    expect((await billing.cancelSubscription({ subscriptionId })).status).toBe('canceled');
  });
});
