/**
 * Follows a month's figures from hop to hop, tenant by tenant: queries from the events to the lines of
 * Stripe's invoice, stored cost from the events to the CSV, the plan amount from our plan invoice to
 * Stripe's. Each must be the same at every hop.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { makeCostInvoices } from '../invoices/cost-invoice.js';
import { invoiceCsv } from '../invoices/csv.js';
import { makePlanInvoice } from '../invoices/plan-invoice.js';
import { formatCents, formatUsd, parseUsd, toCents } from '../money.js';
import { parseMonth } from '../period.js';
import { readDailyUsage } from './daily-usage.js';
import { readMeter } from './read-meter.js';
import type { Books } from './reconcile/books.js';
import { centsOf, quantityOf } from './reconcile/entries.js';
import type { InvoicedLine } from './reconcile/invoiced-line.js';
import { readInvoicedLines } from './reconcile/read-invoiced-lines.js';

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
  const wanted = { month: name, tenantIds };
  const events = await sumsOf(clickhouse, { table: 'usage_events FINAL', time: 'timestamp', ...wanted });
  const rollup = await sumsOf(clickhouse, { table: 'usage_daily', time: 'day', ...wanted });
  const reported = await readDailyUsage(clickhouse, wanted);
  const lines = await readInvoicedLines(books, wanted);
  const rows: ChainRow[] = [];
  for (const { invoice } of await makeCostInvoices(clickhouse, wanted)) {
    const { tenant_id: tenantId } = invoice;
    const customer = await books.billing.customerFor({ tenantId });
    const ours = (await makePlanInvoice(clickhouse, { tenantId, month: name })).invoice.lines;
    const theirs = lines.get(tenantId) ?? [];
    const csv = (invoiceCsv([invoice]).split('\n')[1] ?? '').split(',');
    const [used, summed] = [events.get(tenantId) ?? NONE, rollup.get(tenantId) ?? NONE];
    const row = {
      tenant: tenantId,
      events: used.queries,
      rollup: summed.queries,
      csv: Number(csv[2]),
      meter: sumOf((await readMeter(books, { customer, period: month })).values()),
      stripeLines: billedOn(theirs),
      costOfEvents: used.cost,
      costOfRollup: summed.cost,
      costInvoice: invoice.total_cost_usd,
      costInCsv: csv[4] ?? '',
      planInvoice: totalOf(ours),
      stripeInvoice: totalOf(theirs),
    };
    const agrees = [
      row.rollup === row.events,
      row.csv === row.events,
      // Less than was used where a tenant left and came back on one day.
      row.meter === sumOf(reported.map((day) => (day.tenant_id === tenantId ? day.query_count : 0))),
      // A trial is metered and not billed: Stripe's lines are held against our own.
      row.stripeLines === billedOn(ours),
      row.costOfRollup === row.costOfEvents,
      row.costInvoice === row.costOfEvents,
      row.costInCsv === formatCents(toCents(parseUsd(row.costOfEvents))),
      row.stripeInvoice === row.planInvoice,
    ];
    const wrong = agrees.filter((same) => !same).length;
    rows.push({ ...row, differences: wrong + differentLines(ours, theirs) });
    onProgress(rows.length);
  }
  return rows;
}

const sumOf = (numbers: Iterable<number>) => [...numbers].reduce((sum, next) => sum + next, 0);

interface Sums {
  readonly queries: number;
  readonly cost: string;
}

const NONE: Sums = { queries: 0, cost: '0.00000000' };

async function sumsOf(
  clickhouse: ClickHouseClient,
  { table, time, tenantIds, month }: { table: string; time: string } & ChainOptions,
): Promise<Map<string, Sums>> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, sum(queries) AS queries, toString(sum(cost_usd)) AS cost
      FROM ${table}
      WHERE tenant_id IN {tenantIds:Array(String)} AND toStartOfMonth(toDate(${time}, 'UTC')) = {month:Date}
      GROUP BY tenant_id`,
    query_params: { tenantIds, month: `${month}-01` },
    format: 'JSONEachRow',
  });
  const rows = await result.json<Sums & { tenant_id: string }>();
  return new Map(
    rows.map(({ tenant_id, queries, cost }) => [tenant_id, { queries, cost: formatUsd(parseUsd(cost)) }]),
  );
}

type Compared = 'kind' | 'description' | 'quantity' | 'amount_cents' | 'first_day' | 'last_day';
type ComparedLine = Pick<InvoicedLine, Compared>;

const billedOn = (lines: readonly ComparedLine[]) => quantityOf(lines.filter(({ kind }) => kind === 'usage'));
const totalOf = (lines: readonly ComparedLine[]) => formatCents(BigInt(centsOf(lines)));

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
