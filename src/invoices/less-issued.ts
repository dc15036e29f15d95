/**
 * What issued cost invoices lack. An event that was accepted in time can be stored after its month
 * was issued (it waited in a fallback file, or a clock went back), and by its times alone it would
 * be on no invoice. The snapshot decides: the next open invoice has what the issued months come to
 * now, less what was issued for them. That is exact without any mark of what an invoice had read,
 * which an insert under way at that moment would slip past.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { EVENTS_TABLE } from '../metering/tables.js';
import { formatUsd, parseUsd } from '../money.js';
import { closingOf, type Month, previousMonth } from '../period.js';
import type { CostInvoice, CostLine } from './cost-invoice.js';
import type { Issued } from './issued.js';

/**
 * Tenants that have more events stored in their issued months than were issued: as a rule none.
 * Fewer mean that events were deleted, which gives nobody his money back.
 */
export async function withMoreEvents(
  clickhouse: ClickHouseClient,
  {
    tenantIds,
    month,
    issued,
  }: { tenantIds: readonly string[]; month: Month; issued: ReadonlyMap<string, Issued<CostInvoice>> },
): Promise<Set<string>> {
  const looked = tenantIds.flatMap((id) => {
    const { before = [], since = month } = issued.get(id) ?? {};
    const events = before.flatMap(({ lines }) => lines).reduce((sum, line) => sum + line.events, 0);
    return before.length > 0 ? [{ id, since: since.start.getTime(), events }] : [];
  });
  if (looked.length === 0) return new Set();
  const result = await clickhouse.query({
    query: `
      WITH
        transform(tenant_id, {tenants:Array(String)}, {since:Array(Int64)}, toInt64(0)) AS since_ms,
        fromUnixTimestamp64Milli(since_ms, 'UTC') AS since
      SELECT tenant_id, count() AS events
      FROM ${EVENTS_TABLE}
      WHERE tenant_id IN {tenants:Array(String)}
        AND timestamp < fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND created_at < fromUnixTimestamp64Milli({opens:Int64}, 'UTC')
        AND (timestamp >= since OR created_at >= since + INTERVAL 72 HOUR)
      GROUP BY tenant_id`,
    query_params: {
      tenants: looked.map(({ id }) => id),
      since: looked.map(({ since }) => since),
      start: month.start.getTime(),
      opens: closingOf(previousMonth(month.start)).getTime(),
    },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ tenant_id: string; events: number }>();
  const stored = new Map(rows.map(({ tenant_id, events }) => [tenant_id, events]));
  return new Set(looked.filter(({ id, events }) => (stored.get(id) ?? 0) > events).map(({ id }) => id));
}

const COUNTS = ['events', 'queries', 'tokens_input', 'tokens_output', 'bytes'] as const;

/**
 * Lines less those of issued invoices; nothing is left of a line that was issued as it is now.
 *
 * @example lessIssued([{ ...line, queries: 5 }], [{ lines: [{ ...line, queries: 3 }] }]) // queries: 2
 */
export function lessIssued(now: readonly CostLine[], issued: readonly CostInvoice[]): CostLine[] {
  const left = new Map(now.map((line) => [keyOf(line), line]));
  for (const line of issued.flatMap(({ lines }) => lines)) {
    const counts = left.get(keyOf(line)) ?? { ...line, ...NOTHING };
    const less = Object.fromEntries(COUNTS.map((count) => [count, counts[count] - line[count]]));
    const cost_usd = formatUsd(parseUsd(counts.cost_usd) - parseUsd(line.cost_usd));
    left.set(keyOf(line), { ...counts, ...less, cost_usd });
  }
  return [...left]
    .filter(([, line]) => COUNTS.some((count) => line[count] !== 0) || parseUsd(line.cost_usd) !== 0n)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, line]) => line);
}

const NOTHING = { events: 0, queries: 0, tokens_input: 0, tokens_output: 0, bytes: 0, cost_usd: '0' };
const keyOf = ({ usage_month, event_type, model, price_version }: CostLine) =>
  [usage_month, event_type, model, price_version].join('\0');
