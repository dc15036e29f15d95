/** A tenant that nobody knows agrees with everything: a slip of the pen must not look like a clean bill. */
import type { Books } from '../billing/reconcile/books.js';
import type { Difference } from '../billing/reconcile/difference.js';
import { isKnownTenant } from '../tenants/known-tenant.js';

/**
 * @param tenantIds those that were asked for
 * @param differences theirs: whoever has one is known
 * @throws RangeError for one that has neither terms nor usage, and no customer at Stripe.
 */
export async function refuseUnknownTenants(
  { clickhouse, billing }: Books,
  tenantIds: readonly string[],
  differences: readonly Difference[],
): Promise<void> {
  for (const tenantId of tenantIds) {
    if (differences.some((one) => one.tenantId === tenantId)) continue;
    if ((await isKnownTenant(clickhouse, tenantId)) || (await billing.findCustomer(tenantId))) continue;
    throw new RangeError(
      `Cannot compare --tenant ${JSON.stringify(tenantId)}: no terms, no usage and no customer at Stripe`,
    );
  }
}
