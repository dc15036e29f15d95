/** Invoices as issued: kept byte for byte, and never replaced by other figures. */
import type { ClickHouseClient } from '@clickhouse/client';
import { InvalidInputError, InvoiceChangedError } from '../errors.js';
import { dayOf } from '../period.js';
import type { CostInvoice } from './cost-invoice.js';
import type { PlanInvoice } from './plan-invoice.js';
import { type Sealed, seal, sha256 } from './seal.js';

/** One kept invoice. */
export interface InvoiceSnapshot {
  readonly json: string;
  readonly sha256: string;
}

/** With whose it is. */
interface SnapshotRow extends InvoiceSnapshot {
  readonly tenant_id: string;
  readonly month: string;
}

type Kind = 'cost' | 'plan';

/**
 * Issues an invoice: keeps its bytes. Issuing the same bytes again changes nothing.
 *
 * @throws InvoiceChangedError when the month was already issued with other figures, InvalidInputError when
 *   the bytes are not the invoice's, RangeError for an invalid date.
 * @example
 * const sealed = await makeCostInvoice(clickhouse, { tenantId: 'acme-corp', month: '2025-11' });
 * await issueInvoice(clickhouse, sealed, { issuedAt: now });
 */
export async function issueInvoice(
  clickhouse: ClickHouseClient,
  { invoice, json, sha256: hash }: Sealed<CostInvoice | PlanInvoice>,
  { issuedAt }: { issuedAt: Date },
): Promise<void> {
  if (seal(invoice).json !== json || sha256(json) !== hash) {
    throw new InvalidInputError(
      'invoice',
      'json',
      'must be the canonical JSON of the invoice, and sha256 its hash',
    );
  }
  dayOf(issuedAt);
  const { tenant_id, month, kind } = invoice;
  const refuseOther = (kept: InvoiceSnapshot | undefined) => {
    if (kept && kept.sha256 !== hash) throw new InvoiceChangedError(tenant_id, month, kept.sha256, hash);
  };
  const kept = await readSnapshot(clickhouse, invoice);
  refuseOther(kept);
  if (kept) return;
  await clickhouse.insert({
    table: 'invoice_snapshots',
    values: [{ tenant_id, month, kind, sha256: hash, json, issued_at: issuedAt.getTime() }],
    format: 'JSONEachRow',
  });
  // Of two that were issued at the same moment one comes first; the other learns it here.
  refuseOther(await readSnapshot(clickhouse, invoice));
}

/**
 * The invoice as it was issued, if it was.
 *
 * @throws Error when its bytes no longer have the hash they were issued with.
 * @example
 * const kept = await readSnapshot(clickhouse, { tenant_id: 'acme-corp', month: '2025-11', kind: 'cost' });
 */
export async function readSnapshot(
  clickhouse: ClickHouseClient,
  { tenant_id, month, kind }: { tenant_id: string; month: string; kind: Kind },
): Promise<InvoiceSnapshot | undefined> {
  const [kept] = await readSnapshots(clickhouse, { tenantIds: [tenant_id], months: [month], kind });
  return kept && { json: kept.json, sha256: kept.sha256 };
}

/**
 * Those of several tenants and months.
 *
 * @throws as `readSnapshot()`
 */
export async function readSnapshots(
  clickhouse: ClickHouseClient,
  query_params: { tenantIds: readonly string[]; months: readonly string[]; kind: Kind },
): Promise<SnapshotRow[]> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, month, json, sha256
      FROM invoice_snapshots
      WHERE tenant_id IN {tenantIds:Array(String)}
        AND month IN {months:Array(String)}
        AND kind = {kind:String}
      ORDER BY issued_at, sha256
      LIMIT 1 BY tenant_id, month`,
    query_params,
    format: 'JSONEachRow',
  });
  const snapshots = await result.json<SnapshotRow>();
  for (const { tenant_id, month, json, sha256: hash } of snapshots)
    if (sha256(json) !== hash)
      throw new Error(`Cannot trust snapshot of ${tenant_id} for ${month}: its bytes do not have its hash`);
  return snapshots;
}
