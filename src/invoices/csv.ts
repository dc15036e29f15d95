/** Cost invoices as the course's CSV. */
import { formatCents } from '../money.js';
import type { CostInvoice } from './cost-invoice.js';

const COLUMNS = ['tenant_id', 'month', 'total_queries', 'total_tokens', 'total_cost_usd', 'invoice_date'];

/**
 * One row for each invoice, totals in cents. No value needs quotes: ids, numbers and days.
 *
 * @example
 * // tenant_id,month,total_queries,total_tokens,total_cost_usd,invoice_date
 * invoiceCsv([invoice]).split('\n')[1] // 'acme-corp,2025-11,28450,5200000,47.23,2025-11-30'
 */
export function invoiceCsv(invoices: readonly CostInvoice[]): string {
  const rows = invoices.map((invoice) => [
    invoice.tenant_id,
    invoice.month,
    invoice.total_queries,
    invoice.total_tokens,
    formatCents(BigInt(invoice.amount_due_cents)),
    invoice.invoice_date,
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.join(',')}\n`).join('');
}
