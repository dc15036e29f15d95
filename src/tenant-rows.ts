/** Rows of tenants in ClickHouse: put in and taken out, each done when the call returns. */
import type { ClickHouseClient } from '@clickhouse/client';

/**
 * Stores rows. The setting stands in the statement: the embedded engine would keep one that is passed beside it.
 *
 * @param lines a row of the table as JSON each
 * @example await insertRows(clickhouse, 'tenant_ledger', [JSON.stringify({ tenant_id: 'acme-corp', number: 1 })]);
 */
export async function insertRows(
  clickhouse: ClickHouseClient,
  table: string,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  const query = `INSERT INTO ${table} SETTINGS async_insert = 0 FORMAT JSONEachRow\n${lines.join('\n')}`;
  await clickhouse.command({ query });
}

/** Takes all rows of tenants out of a table. @example await deleteRows(clickhouse, 'api_keys', ['acme-corp']); */
export async function deleteRows(
  clickhouse: ClickHouseClient,
  table: string,
  tenantIds: readonly string[],
): Promise<void> {
  await clickhouse.command({
    query: `ALTER TABLE ${table} DELETE WHERE tenant_id IN {tenantIds:Array(String)} SETTINGS mutations_sync = 1`,
    query_params: { tenantIds },
  });
}
