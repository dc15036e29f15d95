/** A tenant that nobody knows agrees with everything: a slip of the pen must not look like a clean bill. */
import type { Books } from '../billing/reconcile/books.js';
import type { Difference } from '../billing/reconcile/difference.js';
import { tenantsAt } from '../metering/tenants.js';

/**
 * @param tenantIds those that were asked for
 * @param differences theirs: whoever has one is known
 * @throws RangeError for one that has neither terms nor usage, and no customer at Stripe.
 */
export async function refuseUnknownTenants(
  { clickhouse, billing, now }: Books,
  tenantIds: readonly string[],
  differences: readonly Difference[],
): Promise<void> {
  const known = new Set([
    ...differences.map(({ tenantId }) => tenantId),
    ...(await tenantsAt(clickhouse, now)).map(({ tenantId }) => tenantId),
  ]);
  for (const tenantId of tenantIds) {
    if (known.has(tenantId) || (await billing.findCustomer(tenantId))) continue;
    const used = await clickhouse.query({
      query: 'SELECT 1 FROM usage_daily WHERE tenant_id = {tenantId:String} LIMIT 1',
      query_params: { tenantId },
      format: 'JSONEachRow',
    });
    if ((await used.json()).length > 0) continue;
    throw new RangeError(
      `Cannot compare --tenant ${JSON.stringify(tenantId)}: no terms, no usage and no customer at Stripe`,
    );
  }
}
