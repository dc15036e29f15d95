/** Invoices as issued: kept byte for byte, and never replaced by other figures. */
import type { ClickHouseClient } from '@clickhouse/client';
import { InvoiceChangedError } from '../errors.js';
import type { CostInvoice } from './cost-invoice.js';
import type { PlanInvoice } from './plan-invoice.js';
import { type Sealed, sha256 } from './seal.js';

/** One kept invoice. */
export interface InvoiceSnapshot {
  readonly json: string;
  readonly sha256: string;
}

type Key = Pick<CostInvoice | PlanInvoice, 'tenant_id' | 'month' | 'kind'>;

/**
 * Issues an invoice: keeps its bytes. Issuing the same bytes again changes nothing.
 *
 * @throws InvoiceChangedError when the month was already issued with other figures.
 */
export async function issueInvoice(
  clickhouse: ClickHouseClient,
  { invoice, json, sha256: hash }: Sealed<CostInvoice | PlanInvoice>,
  { issuedAt }: { issuedAt: Date },
): Promise<void> {
  const kept = await readSnapshot(clickhouse, invoice);
  if (kept && kept.sha256 !== hash) {
    throw new InvoiceChangedError(invoice.tenant_id, invoice.month, kept.sha256, hash);
  }
  if (kept) return;
  const { tenant_id, month, kind } = invoice;
  await clickhouse.insert({
    table: 'invoice_snapshots',
    values: [{ tenant_id, month, kind, sha256: hash, json, issued_at: issuedAt.getTime() }],
    format: 'JSONEachRow',
  });
}

/**
 * The invoice as it was issued, if it was.
 *
 * @throws Error when its bytes no longer have the hash they were issued with.
 */
export async function readSnapshot(
  clickhouse: ClickHouseClient,
  { tenant_id, month, kind }: Key,
): Promise<InvoiceSnapshot | undefined> {
  const result = await clickhouse.query({
    query: `
      SELECT json, sha256
      FROM invoice_snapshots
      WHERE tenant_id = {tenant_id:String}
        AND month = {month:String}
        AND kind = {kind:String}
      ORDER BY issued_at
      LIMIT 1`,
    query_params: { tenant_id, month, kind },
    format: 'JSONEachRow',
  });
  const [kept] = await result.json<InvoiceSnapshot>();
  if (kept && sha256(kept.json) !== kept.sha256) {
    throw new Error(`Cannot trust snapshot of ${tenant_id} for ${month}: its bytes do not have its hash`);
  }
  return kept;
}
