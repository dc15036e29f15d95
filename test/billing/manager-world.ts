/** A billing manager at a local Stripe, with one tenant and its customer, on a clock. */
import { expect } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { openTestClock } from '../../src/billing/test-clock.js';
import { createLocalStripe, type LocalStripeOptions } from '../../src/local-stripe/create-local-stripe.js';
import type { PlanName } from '../../src/plans.js';

export const ACME = { tenantId: 'acme-corp', email: 'billing@acme.example', name: 'Acme Corp' };

export type ManagerWorld = Awaited<ReturnType<typeof managerWorld>>;

/** @param start where the clock stands; the account's own time too, by which Stripe forgets keys */
export async function managerWorld(start = '2025-11-01T00:00:00Z', options: LocalStripeOptions = {}) {
  let now = new Date(start);
  const local = createLocalStripe({ seed: 'manager', now: () => now, clockLimits: false, ...options });
  const stripe = local.client({ maxNetworkRetries: 0 });
  const clock = openTestClock(stripe, { start: now });
  const catalogue = await ensureCatalogue(stripe);
  /** As another process has it: it has seen nothing yet. */
  const manager = (client = stripe) => new StripeBillingManager(client, { catalogue, testClock: clock });
  const billing = manager();
  const customerId = await billing.createCustomer(ACME);
  return {
    local,
    stripe,
    clock,
    catalogue,
    billing,
    customerId,
    manager,
    advance: async (to: string) => {
      now = new Date(to);
      await clock.advanceTo(now);
    },
    addCard: (paymentMethodId = 'pm_card_visa') =>
      billing.attachPaymentMethod({ customerId, paymentMethodId }),
    subscribe: (planType: PlanName, trialDays?: number) =>
      billing.createSubscription({
        customerId,
        planType,
        tenantId: ACME.tenantId,
        ...(trialDays !== undefined && { trialDays }),
      }),
    /** The keys of the calls that write from now on. */
    watchKeys: () => {
      const keys: string[] = [];
      local.faults = ({ method, idempotencyKey }) => {
        if (method === 'POST') keys.push(idempotencyKey ?? '');
        return undefined;
      };
      return keys;
    },
    /** The customer's invoices, oldest first: status and cents. */
    told: async () => {
      const { data } = await stripe.invoices.list({ customer: customerId, limit: 100 });
      return data.reverse().map(({ status, total }) => `${status} ${total}`);
    },
    /** A process that is killed after so many writes, the last of which may have arrived. */
    dieAfter: async (
      writes: number,
      lost: 'unavailable' | 'lost_answer',
      work: () => Promise<unknown>,
    ): Promise<void> => {
      let count = 0;
      local.faults = ({ method }) => {
        if (method === 'GET') return undefined;
        count += 1;
        return count === writes ? lost : count > writes ? 'unavailable' : undefined;
      };
      await expect(work()).rejects.toThrow();
      local.faults = () => undefined;
    },
    /** The answer of the next call to a path is lost. */
    loseAnswer: (path: RegExp, wanted = 'POST') => {
      let isLost = false;
      local.faults = ({ method, path: called }) => {
        if (isLost || method !== wanted || !path.test(called)) return undefined;
        isLost = true;
        return 'lost_answer';
      };
    },
  };
}
