/** Whether ClickHouse knows a tenant: also one that never signed up here, of an import say. */
import type { ClickHouseClient } from '@clickhouse/client';

/** Whether a tenant has, or had, terms or usage. @example await isKnownTenant(clickhouse, 'acme-corp') // true */
export async function isKnownTenant(clickhouse: ClickHouseClient, tenantId: string): Promise<boolean> {
  const result = await clickhouse.query({
    query: `
      SELECT
        (SELECT count() FROM tenant_quotas WHERE tenant_id = {tenantId:String})
        + (SELECT count() FROM usage_daily WHERE tenant_id = {tenantId:String}) AS rows`,
    query_params: { tenantId },
    format: 'JSONEachRow',
  });
  const [found] = await result.json<{ rows: number | string }>();
  return Number(found?.rows) > 0;
}
