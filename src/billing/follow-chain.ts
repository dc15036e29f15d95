/**
 * Follows a month's figures from hop to hop, tenant by tenant: queries from the events to the lines of
 * Stripe's invoice, stored cost from the events to the CSV, the plan amount from our plan invoice to
 * Stripe's. Each must be the same at every hop.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { type CostInvoice, makeCostInvoices } from '../invoices/cost-invoice.js';
import { invoiceCsv } from '../invoices/csv.js';
import { makePlanInvoice, type PlanLine } from '../invoices/plan-invoice.js';
import { formatCents, formatUsd, parseUsd, toCents } from '../money.js';
import { type Month, parseMonth } from '../period.js';
import { toSeconds } from './context.js';
import type { Books } from './reconcile/books.js';
import { readInvoicedLines } from './reconcile/read-invoiced-lines.js';
import { sdkOf } from './sdk.js';

/** A tenant's month at every hop; money as text. */
export interface ChainRow {
  readonly tenant: string;
  readonly events: number;
  readonly rollup: number;
  readonly csv: number;
  readonly meter: number;
  /** Queries on the lines of Stripe's invoices. */
  readonly stripeLines: number;
  readonly costOfEvents: string;
  readonly costOfRollup: string;
  readonly costInvoice: string;
  readonly costInCsv: string;
  readonly planInvoice: string;
  readonly stripeInvoice: string;
  /** Hops, or lines of the invoice, that do not agree. */
  readonly differences: number;
}

export interface ChainOptions {
  /** e.g. `2025-11` */
  readonly month: string;
  readonly tenantIds: readonly string[];
  /** Told after each tenant. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Follows a month's queries, stored cost and plan amount from events to Stripe's invoice; `differences` counts
 * what does not agree.
 *
 * @throws RangeError for a wrong month or a tenant without a plan, MissingCustomerError for one that is not
 *   at Stripe.
 * @example table(await followChain(books, { month: '2025-11', tenantIds: ['acme-corp'] }))
 */
export async function followChain(
  books: Books,
  { month: name, tenantIds, onProgress = () => undefined }: ChainOptions,
): Promise<ChainRow[]> {
  const { clickhouse } = books;
  const month = parseMonth(name);
  const events = await sumsOf(clickhouse, {
    table: 'usage_events FINAL',
    time: 'timestamp',
    tenantIds,
    month,
  });
  const rollup = await sumsOf(clickhouse, { table: 'usage_daily', time: 'day', tenantIds, month });
  const lines = await readInvoicedLines(books, { month: name });
  const rows: ChainRow[] = [];
  for (const { invoice } of await makeCostInvoices(clickhouse, { tenantIds, month: name })) {
    const { tenant_id: tenantId } = invoice;
    const plan = (await makePlanInvoice(clickhouse, { tenantId, month: name })).invoice;
    rows.push(
      rowOf({
        events: events.get(tenantId) ?? NONE,
        rollup: rollup.get(tenantId) ?? NONE,
        meter: await meterOf(books, { customer: await books.billing.customerFor({ tenantId }), month }),
        invoice,
        ours: plan.lines,
        theirs: lines.get(tenantId) ?? [],
      }),
    );
    onProgress(rows.length);
  }
  return rows;
}

interface Sums {
  readonly queries: number;
  readonly cost: string;
}

const NONE: Sums = { queries: 0, cost: '0.00000000' };

async function sumsOf(
  clickhouse: ClickHouseClient,
  {
    table,
    time,
    tenantIds,
    month,
  }: { table: string; time: string; tenantIds: readonly string[]; month: Month },
): Promise<Map<string, Sums>> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, sum(queries) AS queries, toString(sum(cost_usd)) AS cost
      FROM ${table}
      WHERE tenant_id IN {tenantIds:Array(String)} AND toStartOfMonth(toDate(${time}, 'UTC')) = {month:Date}
      GROUP BY tenant_id`,
    query_params: { tenantIds, month: `${month.name}-01` },
    format: 'JSONEachRow',
  });
  const rows = await result.json<Sums & { tenant_id: string }>();
  return new Map(
    rows.map(({ tenant_id, queries, cost }) => [tenant_id, { queries, cost: formatUsd(parseUsd(cost)) }]),
  );
}

async function meterOf(
  { stripe, catalogue: { meterId } }: Books,
  { customer, month }: { customer: string; month: Month },
): Promise<number> {
  const period = { start_time: toSeconds(month.start), end_time: toSeconds(month.end) };
  const { data } = await sdkOf(stripe).billing.meters.listEventSummaries(meterId, { customer, ...period });
  return data.reduce((sum, { aggregated_value: queries }) => sum + queries, 0);
}

interface Hops {
  readonly events: Sums;
  readonly rollup: Sums;
  readonly meter: number;
  readonly invoice: CostInvoice;
  readonly ours: readonly PlanLine[];
  readonly theirs: readonly ComparedLine[];
}

type ComparedLine = Pick<PlanLine, 'description' | 'quantity' | 'amount_cents' | 'first_day' | 'last_day'> & {
  readonly kind: string;
};

function rowOf({ events, rollup, meter, invoice, ours, theirs }: Hops): ChainRow {
  const csv = (invoiceCsv([invoice]).split('\n')[1] ?? '').split(',');
  const usage = theirs.filter(({ kind }) => kind === 'usage');
  const row = {
    tenant: invoice.tenant_id,
    events: events.queries,
    rollup: rollup.queries,
    csv: Number(csv[2]),
    meter,
    stripeLines: usage.reduce((sum, { quantity }) => sum + quantity, 0),
    costOfEvents: events.cost,
    costOfRollup: rollup.cost,
    costInvoice: invoice.total_cost_usd,
    costInCsv: csv[4] ?? '',
    planInvoice: totalOf(ours),
    stripeInvoice: totalOf(theirs),
  };
  // A trial is metered and not billed: Stripe's lines are held against our own.
  const billed = ours.reduce((sum, { kind, quantity }) => sum + (kind === 'usage' ? quantity : 0), 0);
  const agrees = [
    row.rollup === row.events,
    row.csv === row.events,
    row.meter === row.events,
    row.stripeLines === billed,
    row.costOfRollup === row.costOfEvents,
    row.costInvoice === row.costOfEvents,
    row.costInCsv === formatCents(toCents(parseUsd(row.costOfEvents))),
    row.stripeInvoice === row.planInvoice,
  ];
  const wrong = agrees.filter((same) => !same).length;
  return { ...row, differences: wrong + differentLines(ours, theirs) };
}

const totalOf = (lines: readonly { amount_cents: number }[]) =>
  formatCents(BigInt(lines.reduce((sum, { amount_cents }) => sum + amount_cents, 0)));

/** Lines that one side has and the other has not. */
function differentLines(ours: readonly ComparedLine[], theirs: readonly ComparedLine[]): number {
  const left = theirs.map(textOf);
  let missing = 0;
  for (const line of ours.map(textOf)) {
    const at = left.indexOf(line);
    if (at === -1) missing += 1;
    else left.splice(at, 1);
  }
  return missing + left.length;
}

const textOf = ({ kind, description, quantity, amount_cents, first_day, last_day }: ComparedLine) =>
  [kind, description, quantity, amount_cents, first_day, last_day].join('|');
