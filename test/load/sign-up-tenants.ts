/** Tenants as a signup leaves them (customer, card, subscription, terms, key), and what they used before the run. */
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { termsFollower } from '../../src/billing/webhooks/terms-follower.js';
import { PLANS } from '../../src/plans.js';
import { StoredApiKeys } from '../../src/tenants/stored-api-keys.js';
import { eventOf, storeBatch } from '../support/events.js';
import type { LoadedTenant } from './checks.js';
import type { PlannedTenant } from './load-plan.js';
import type { LoadedSystem } from './system.js';

export interface SignedUpTenant extends Omit<LoadedTenant, 'unstored'> {
  readonly key: string;
  readonly customerId: string;
}

/** Without a trial, which would bill nothing. */
export async function signUpTenants(
  { clickhouse, redis, stripe }: Pick<LoadedSystem, 'clickhouse' | 'redis' | 'stripe'>,
  planned: readonly PlannedTenant[],
): Promise<SignedUpTenant[]> {
  const billing = new StripeBillingManager(stripe, { catalogue: await ensureCatalogue(stripe) });
  const keys = await StoredApiKeys.open(redis, clickhouse);
  const now = () => new Date();
  const followTerms = termsFollower(stripe, { clickhouse, redis, now });
  const tenants: SignedUpTenant[] = [];
  for (const { tenantId, plan, earlier } of planned) {
    const contact = { tenantId, email: `${tenantId}@example.com`, name: tenantId };
    const customerId = await billing.createCustomer(contact);
    await billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_visa' });
    await billing.createSubscription({ customerId, planType: plan, tenantId, trialDays: 0 });
    await followTerms({ tenantId, customerId });
    const key = await keys.issue(tenantId);
    const before = Array.from({ length: earlier }, () => eventOf({ tenantId, timestamp: now() }, now()));
    if (before.length > 0) await storeBatch(clickhouse, before);
    const quota = PLANS[plan].dailyLimits.queries;
    tenants.push({ tenantId, plan, quota, key, customerId, earlier: before.map(({ event_id }) => event_id) });
  }
  return tenants;
}
