import type Stripe from 'stripe';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { needsCard } from '../../src/billing/reconcile/needs-card.js';
import { remindOnce } from '../../src/billing/reconcile/remind-once.js';
import {
  incompleteSubscriptions,
  trialsWithoutCard,
} from '../../src/billing/reconcile/watched-subscriptions.js';
import { webhookHandler } from '../../src/billing/webhooks/handle-webhook.js';
import { DunningLedger } from '../../src/dunning/dunning-ledger.js';
import { DunningManager } from '../../src/dunning/dunning-manager.js';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import type { Notice } from '../../src/notifier.js';
import { eventAbout } from '../support/billed-tenant.js';
import { openEmbedded } from '../support/embedded.js';

let now: Date;
let stripe: Stripe;
let billing: StripeBillingManager;
const books = () => ({ stripe, billing, now });

beforeEach(async () => {
  now = new Date('2025-11-01T10:00:00Z');
  stripe = createLocalStripe({ seed: 'watched', now: () => now }).client();
  billing = new StripeBillingManager(stripe, { catalogue: await ensureCatalogue(stripe), now: () => now });
});

async function subscribe(
  tenantId: string,
  { card, trialDays = 14 }: { card?: string; trialDays?: number } = {},
) {
  const customerId = await billing.createCustomer({
    tenantId,
    email: `${tenantId}@example.com`,
    name: tenantId,
  });
  if (card) await billing.attachPaymentMethod({ customerId, paymentMethodId: card });
  return billing.createSubscription({ tenantId, customerId, planType: 'pro', trialDays });
}

/** A trial without a card. */
async function subscribeBare(tenantId: string) {
  const { subscriptionId } = await subscribe(tenantId);
  const { customer } = await stripe.subscriptions.retrieve(subscriptionId);
  return { subscriptionId, customer: customer as string };
}

describe('trialsWithoutCard()', () => {
  it('lists trials that end within three days with no card, the first to end first', async () => {
    await subscribe('later', { trialDays: 20 });
    await subscribe('no-card');
    await subscribe('soonest', { trialDays: 13 });
    await subscribe('has-card', { card: 'pm_card_visa' });
    now = new Date('2025-11-12T23:59:59Z');
    expect((await trialsWithoutCard(books())).map(({ tenantId }) => tenantId)).toEqual(['soonest']);
    now = new Date('2025-11-13T00:00:00Z');
    expect(await trialsWithoutCard(books())).toMatchObject([
      { tenantId: 'soonest', plan: 'pro', endsAt: new Date('2025-11-15') },
      { tenantId: 'no-card', plan: 'pro', endsAt: new Date('2025-11-16') },
    ]);
  });

  it("leaves out one with a card of its own, which is not its customer's", async () => {
    const { subscriptionId, customer } = await subscribeBare('own-card');
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    await stripe.subscriptions.update(subscriptionId, { default_payment_method: id });
    now = new Date('2025-11-13T00:00:00Z');
    expect(await trialsWithoutCard(books())).toEqual([]);
  });

  it('leaves out one that is cancelled to its end', async () => {
    const { subscriptionId } = await subscribeBare('leaving');
    await billing.cancelSubscription({ subscriptionId });
    now = new Date('2025-11-13T00:00:00Z');
    expect(await trialsWithoutCard(books())).toEqual([]);
  });

  it('leaves out a paused one: its trial is over, and nothing will be charged', async () => {
    const { subscriptionId } = await subscribeBare('paused');
    const end_behavior = { missing_payment_method: 'pause' } as const;
    await stripe.subscriptions.update(subscriptionId, { trial_settings: { end_behavior } });
    now = new Date('2025-11-17T00:00:00Z');
    expect((await stripe.subscriptions.retrieve(subscriptionId)).status).toBe('paused');
    expect([await trialsWithoutCard(books()), await incompleteSubscriptions(books())]).toEqual([[], []]);
  });
});

describe('needsCard()', () => {
  it.each([
    ['at its end', 0, false],
    ['a day later', 86_400, true],
  ])('of a trial that is cancelled for a time %s', async (_, later, needed) => {
    const { subscriptionId } = await subscribeBare('leaving');
    const trial = await stripe.subscriptions.retrieve(subscriptionId);
    const cancel_at = (trial.trial_end ?? 0) + later;
    expect(await needsCard({ ...trial, cancel_at }, async () => false)).toBe(needed);
  });
});

describe('incompleteSubscriptions()', () => {
  it('lists first payments that failed, until they are given up', async () => {
    await subscribe('declined', { card: 'pm_card_chargeCustomerFail', trialDays: 0 });
    await subscribe('paid', { card: 'pm_card_visa', trialDays: 0 });
    expect(await incompleteSubscriptions(books())).toMatchObject([
      { tenantId: 'declined', endsAt: new Date('2025-11-02T09:00:00Z') },
    ]);
    now = new Date('2025-11-02T09:00:01Z');
    expect(await incompleteSubscriptions(books())).toEqual([]);
  });
});

describe('remindOnce()', () => {
  it('tells each tenant once, also after a restart, and after the webhook did', async () => {
    const engine = await openEmbedded();
    onTestFinished(() => engine.close());
    const told: Notice[] = [];
    const notifier = { notify: async (notice: Notice) => void told.push(notice) };
    const { subscriptionId } = await subscribe('no-card', { trialDays: 2 });
    for (let run = 1; run <= 2; run += 1) {
      const ledger = await DunningLedger.open(engine.clickhouse);
      const dunning = new DunningManager(stripe, { redis: engine.redis, ledger, notifier });
      const reminded = await remindOnce(await trialsWithoutCard(books()), 'trial_reminder', dunning);
      expect(reminded).toHaveLength(run === 1 ? 1 : 0);
      const handle = webhookHandler(stripe, { ...engine, dunning });
      await handle(eventAbout('customer.subscription.trial_will_end', subscriptionId));
    }
    const text = 'Your trial ends on 2025-11-04 and there is no card; please add one';
    expect(told).toMatchObject([{ topic: 'trial_reminder', tenantId: 'no-card', text }]);
  });
});
