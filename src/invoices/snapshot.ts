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

type Key = Pick<CostInvoice | PlanInvoice, 'tenant_id' | 'month' | 'kind'>;

/** A kept invoice as it is read, with whose it is. */
export interface SnapshotRow extends InvoiceSnapshot {
  readonly tenant_id: string;
  readonly month: string;
}

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
  { tenant_id, month, kind }: Key,
): Promise<InvoiceSnapshot | undefined> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, month, json, sha256
      FROM invoice_snapshots
      WHERE tenant_id = {tenant_id:String}
        AND month = {month:String}
        AND kind = {kind:String}
      ORDER BY issued_at, sha256
      LIMIT 1`,
    query_params: { tenant_id, month, kind },
    format: 'JSONEachRow',
  });
  const [kept] = await result.json<SnapshotRow>();
  return kept && trusted(kept);
}

/** @throws Error when the bytes no longer have the hash they were issued with. */
export function trusted({ tenant_id, month, json, sha256: hash }: SnapshotRow): InvoiceSnapshot {
  if (sha256(json) !== hash) {
    throw new Error(`Cannot trust snapshot of ${tenant_id} for ${month}: its bytes do not have its hash`);
  }
  return { json, sha256: hash };
}
