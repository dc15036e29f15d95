import { describe, expect, it } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { openTestClock } from '../../src/billing/test-clock.js';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import type { PlanName } from '../../src/plans.js';

/** A tenant on pro that asked for starter; no webhook is handled but by `renewed()`. */
async function waiting({ since, asked, trialDays }: { since: string; asked: string; trialDays: number }) {
  const stripe = createLocalStripe({ seed: 'waiting' }).client();
  const clock = openTestClock(stripe, { start: new Date(since) });
  const billing = new StripeBillingManager(stripe, {
    catalogue: await ensureCatalogue(stripe),
    testClock: clock,
  });
  const tenantId = 'acme-corp';
  const customerId = await billing.createCustomer({ tenantId, email: 'a@example.com', name: 'Acme' });
  await billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_visa' });
  const { subscriptionId } = await billing.createSubscription({
    ...{ customerId, planType: 'pro', tenantId, trialDays },
  });
  const change = (planType: PlanName) => billing.changePlan({ subscriptionId, planType });
  await clock.advanceTo(new Date(asked));
  await change('starter');
  return {
    ...{ clock, change },
    renewed: () => billing.applyWaitingChange(subscriptionId),
    charged: async () =>
      (await billing.invoicesOf(customerId)).reduce((sum, { totalCents }) => sum + totalCents, 0),
  };
}

describe('a cheaper plan that waits', () => {
  const sinceNovember = { since: '2025-11-01T00:00:00Z', asked: '2025-11-16T09:30:00Z', trialDays: 0 };

  it('holds from the 1st, though it is asked for again before the renewal was told of', async () => {
    const { clock, change, charged } = await waiting(sinceNovember);
    await clock.advanceTo(new Date('2025-12-01T00:00:05Z'));
    expect(await change('starter')).toMatchObject({ planType: 'starter', changesAt: null });
    expect(await charged()).toBe(9_900 + 2_900);
  });

  it('holds from the 1st until another one was asked for, though the renewal was not told of', async () => {
    const { clock, change, charged } = await waiting(sinceNovember);
    await clock.advanceTo(new Date('2025-12-03T12:00:00Z'));
    await change('enterprise');
    // Two days of starter, 29 of enterprise, of December's 31.
    expect(await charged()).toBe(
      9_900 + 2_900 - Math.round((2_900 * 29) / 31) + Math.round((49_900 * 29) / 31),
    );
  });

  it('holds from the end of a trial that goes past the 1st', async () => {
    const { clock, renewed, charged } = await waiting({
      ...{ since: '2025-11-25T00:00:00Z', asked: '2025-11-28T09:00:00Z', trialDays: 14 },
    });
    await clock.advanceTo(new Date('2025-12-09T00:00:10Z'));
    expect(await renewed()).toMatchObject({ planType: 'starter' });
    // From the 9th on, 23 of December's 31 days.
    expect(await charged()).toBe(Math.round((2_900 * 23) / 31));
  });
});
