/**
 * The cost invoice: what a tenant's month cost, summed from the stored cost of its events. It
 * never looks at a price table, so that no later price can change it.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { EVENTS_TABLE } from '../metering/tables.js';
import { formatUsd, parseUsd, toCents } from '../money.js';
import { parseMonth } from '../period.js';
import { type Sealed, seal } from './seal.js';

/** Cost of one kind of work; money in dollars with eight places. */
export interface CostLine {
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
 * Makes the cost invoice of one month from de-duplicated events. No usage is an invoice of 0.
 *
 * @throws RangeError for a wrong month, InvalidInputError for a malformed tenant id.
 * @example const { invoice, sha256 } = await makeCostInvoice(clickhouse, { tenantId: 'acme-corp', month: '2025-11' });
 */
export async function makeCostInvoice(
  clickhouse: ClickHouseClient,
  { tenantId, month: name }: { tenantId: string; month: string },
): Promise<Sealed<CostInvoice>> {
  parseInput(tenantIdSchema, 'tenant id', tenantId);
  const month = parseMonth(name);
  const result = await clickhouse.query({
    query: `
      SELECT
        event_type,
        model,
        price_version,
        count() AS events,
        sum(queries) AS queries,
        sum(tokens_input) AS tokens_input,
        sum(tokens_output) AS tokens_output,
        sum(bytes) AS bytes,
        toString(sum(cost_usd)) AS cost_usd
      FROM ${EVENTS_TABLE} FINAL
      WHERE tenant_id = {tenantId:String}
        AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
      GROUP BY event_type, model, price_version
      ORDER BY event_type, model, price_version`,
    query_params: { tenantId, start: month.start.getTime(), end: month.end.getTime() },
    format: 'JSONEachRow',
  });
  const rows = await result.json<CostLine>();
  const lines = rows.map((line) => ({ ...line, cost_usd: formatUsd(parseUsd(line.cost_usd)) }));
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
