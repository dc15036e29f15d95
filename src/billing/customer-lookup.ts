/** Who pays for rows of usage. */
import { MissingCustomerError } from '../errors.js';
import type { StripeBillingManager } from './billing-manager.js';
import type { UsageRow } from './usage-sync.js';

/**
 * Looks each tenant up once: it has many days. To be made anew for each run, since a tenant may have another
 * customer by the next one.
 *
 * @returns the customer of a row's subscription, or else of its tenant
 * @throws from the function: MissingCustomerError, WrongTenantError
 */
export function customerLookup(
  billing: StripeBillingManager,
  rows: readonly UsageRow[],
): (row: UsageRow) => Promise<string> {
  const isAlone = rows.every(({ tenant_id }) => tenant_id === rows[0]?.tenant_id);
  const known = new Map<string, Promise<string>>();
  let all: Promise<Map<string, string>> | undefined;

  async function lookUp({ tenant_id: tenantId, subscription_id: subscriptionId }: UsageRow): Promise<string> {
    if (subscriptionId || isAlone) return billing.customerFor({ tenantId, subscriptionId });
    // Of many tenants a call for each hundred, not one for each.
    all ??= billing.allCustomers();
    const customerId = (await all).get(tenantId);
    if (!customerId) throw new MissingCustomerError(tenantId);
    return customerId;
  }

  return (row) => {
    const key = `${row.tenant_id}:${row.subscription_id ?? ''}`;
    const found = known.get(key) ?? lookUp(row);
    known.set(key, found);
    // Stripe may have asked to slow down: the next try looks again.
    found.catch(() => {
      known.delete(key);
      all = undefined;
    });
    return found;
  };
}
