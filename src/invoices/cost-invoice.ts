/**
 * The cost invoice: what a tenant's month cost, summed from the stored cost of its events. It
 * never looks at a price table, so that no later price can change it. What became visible after its
 * own invoice was issued is on the next one: what the issued months come to now, less what was issued.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { formatUsd, parseUsd, toCents } from '../money.js';
import { type Month, parseMonth } from '../period.js';
import { invoicedEvents } from './invoiced-events.js';
import { readIssued } from './issued.js';
import { lessIssued, withMoreEvents } from './less-issued.js';
import { type Sealed, seal } from './seal.js';

/** Cost of one kind of work; money in dollars with eight places. */
export interface CostLine {
  /** The month of the events; an earlier one than the invoice's where they came too late for their own. */
  readonly usage_month: string;
  readonly event_type: string;
  readonly model: string;
  readonly price_version: string;
  readonly events: number;
  readonly queries: number;
  readonly tokens_input: number;
  readonly tokens_output: number;
  readonly bytes: number;
  readonly cost_usd: string;
}

export interface CostInvoice {
  readonly kind: 'cost';
  readonly tenant_id: string;
  /** e.g. `2025-11`, in UTC */
  readonly month: string;
  /** The month's last day. */
  readonly invoice_date: string;
  readonly currency: 'usd';
  readonly lines: readonly CostLine[];
  readonly total_queries: number;
  readonly total_tokens: number;
  /** Exact, with eight places. */
  readonly total_cost_usd: string;
  /** The total in whole cents, rounded once, half away from zero. */
  readonly amount_due_cents: number;
}

/**
 * Makes the cost invoice of one tenant's month. No usage is an invoice of 0; a month that was issued
 * comes out as it was issued.
 *
 * @throws RangeError for a wrong month, InvalidInputError for a malformed tenant id.
 * @example const { invoice, sha256 } = await makeCostInvoice(clickhouse, { tenantId: 'acme-corp', month: '2025-11' });
 */
export async function makeCostInvoice(
  clickhouse: ClickHouseClient,
  { tenantId, month }: { tenantId: string; month: string },
): Promise<Sealed<CostInvoice>> {
  const [sealed] = await makeCostInvoices(clickhouse, { tenantIds: [tenantId], month });
  if (!sealed) throw new Error(`Cannot make invoice of ${tenantId}: none came out`);
  return sealed;
}

/**
 * Makes the cost invoices of many tenants in one go, in the order they were asked for.
 *
 * @throws as `makeCostInvoice()`
 * @example const invoices = await makeCostInvoices(clickhouse, { tenantIds, month: '2025-11' });
 */
export async function makeCostInvoices(
  clickhouse: ClickHouseClient,
  { tenantIds, month: name }: { tenantIds: readonly string[]; month: string },
): Promise<Sealed<CostInvoice>[]> {
  for (const id of tenantIds) parseInput(tenantIdSchema, 'tenant id', id);
  const month = parseMonth(name);
  const issued = await readIssued(clickhouse, { tenantIds, month, kind: 'cost' });
  const open = tenantIds.filter((id) => !issued.get(id)?.own);
  const more = await withMoreEvents(clickhouse, { tenantIds: open, month, issued });
  const usual = open.filter((id) => !more.has(id));
  const lines = await linesOf(clickhouse, { tenantIds: usual, month, since: month });
  for (const tenantId of more) {
    const { since = month, before = [] } = issued.get(tenantId) ?? {};
    const now = await linesOf(clickhouse, { tenantIds: [tenantId], month, since });
    lines.set(tenantId, lessIssued(now.get(tenantId) ?? [], before));
  }
  return tenantIds.map((id) => issued.get(id)?.own ?? invoiceOf(id, month, lines.get(id) ?? []));
}

/** Above it, to read all tenants takes less than to look for these. */
const MANY = 500;

/** What all invoices of a span of months come to, by tenant; there may be other tenants beside them. */
async function linesOf(
  clickhouse: ClickHouseClient,
  span: { tenantIds: readonly string[]; month: Month; since: Month },
): Promise<Map<string, readonly CostLine[]>> {
  const lines = new Map<string, CostLine[]>();
  if (span.tenantIds.length === 0) return lines;
  const tenantIds = span.tenantIds.length > MANY ? [] : span.tenantIds;
  const { from, params } = await invoicedEvents(clickhouse, { ...span, tenantIds });
  const result = await clickhouse.query({
    query: `
      SELECT
        tenant_id,
        usage_month,
        event_type,
        model,
        price_version,
        count() AS events,
        sum(queries) AS queries,
        sum(tokens_input) AS tokens_input,
        sum(tokens_output) AS tokens_output,
        sum(bytes) AS bytes,
        toString(sum(cost_usd)) AS cost_usd
      FROM ${from}
      GROUP BY tenant_id, usage_month, event_type, model, price_version
      ORDER BY tenant_id, usage_month, event_type, model, price_version`,
    query_params: params,
    format: 'JSONEachRow',
  });
  for (const { tenant_id, ...line } of await result.json<CostLine & { tenant_id: string }>()) {
    const cost_usd = formatUsd(parseUsd(line.cost_usd));
    lines.set(tenant_id, [...(lines.get(tenant_id) ?? []), { ...line, cost_usd }]);
  }
  return lines;
}

function invoiceOf(tenantId: string, month: Month, lines: readonly CostLine[]): Sealed<CostInvoice> {
  const total = lines.reduce((sum, line) => sum + parseUsd(line.cost_usd), 0n);
  return seal({
    kind: 'cost',
    tenant_id: tenantId,
    month: month.name,
    invoice_date: month.lastDay,
    currency: 'usd',
    lines,
    total_queries: lines.reduce((sum, line) => sum + line.queries, 0),
    total_tokens: lines.reduce((sum, line) => sum + line.tokens_input + line.tokens_output, 0),
    total_cost_usd: formatUsd(total),
    amount_due_cents: Number(toCents(total)),
  });
}
