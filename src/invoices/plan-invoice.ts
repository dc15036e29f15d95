/**
 * The plan invoice: what a tenant owes at a month's end, line by line as Stripe words it. Usage
 * of the month that ended, in arrears; the base fee of the month that begins, in advance; and
 * for a change of plan in between the unused part of the old fee and the remaining part of the
 * new one. Each plan's segment of the month has a full allowance, and a trial bills nothing.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { isBilled, type TenantTerms, tenantTermsIn } from '../metering/tenants.js';
import { CENT, type Cents, formatUsd } from '../money.js';
import { dayOf, GRACE_MS, type Month, monthOf, type Period, parseMonth, previousMonth } from '../period.js';
import { PLANS } from '../plans.js';
import { invoicedEvents } from './invoiced-events.js';
import { prorate } from './proration.js';
import { type Sealed, seal } from './seal.js';
import { tierLines } from './tiers.js';

export interface PlanLine {
  readonly kind: 'usage' | 'base' | 'proration';
  readonly description: string;
  readonly quantity: number;
  /** Dollars for one unit, with eight places; absent where there is no one price. */
  readonly unit_price_usd?: string;
  readonly amount_cents: number;
  /** First and last UTC day that the line is for. */
  readonly first_day: string;
  readonly last_day: string;
}

export interface PlanInvoice {
  readonly kind: 'plan';
  readonly tenant_id: string;
  readonly month: string;
  readonly invoice_date: string;
  readonly currency: 'usd';
  readonly lines: readonly PlanLine[];
  readonly total_queries: number;
  readonly amount_due_cents: number;
}

/** A span of the month under one plan. */
interface Segment extends Period {
  readonly terms: TenantTerms;
  /** Whether the tenant was deleted before it: a new subscription has an allowance of its own. */
  readonly isAnew: boolean;
}

/**
 * Makes the plan invoice of one month from the tenant's terms and its de-duplicated events.
 *
 * @throws RangeError for a wrong month or a tenant without terms, InvalidInputError for a malformed tenant id.
 * @example (await makePlanInvoice(clickhouse, { tenantId: 'acme-corp', month: '2025-11' })).invoice.amount_due_cents
 *   // 4745: 18,450 queries of overage and December's base fee
 */
export async function makePlanInvoice(
  clickhouse: ClickHouseClient,
  { tenantId, month: name }: { tenantId: string; month: string },
): Promise<Sealed<PlanInvoice>> {
  const month = parseMonth(name);
  // With the terms that begin at the month's end: they decide on the fee in advance.
  const period = { start: month.start, end: new Date(month.end.getTime() + 1) };
  const terms = await tenantTermsIn(clickhouse, { tenantId, period });
  const last = terms.at(-1);
  if (!last || !terms[0] || terms[0].effectiveFrom >= month.end)
    throw new RangeError(`Cannot make plan invoice: ${tenantId} has no plan in ${month.name}`);
  const segments = segmentsOf(terms, month);
  const usage: { segment: Segment; queries: number }[] = [];
  for (const segment of segments) {
    usage.push({ segment, queries: await queriesIn(clickhouse, tenantId, segment, closingOf(month)) });
  }
  const lines = [
    ...segments.flatMap((segment, index) => prorationLines(segments[index - 1], segment, month)),
    ...(await lateLines(clickhouse, tenantId, month)),
    ...usage.flatMap(({ segment, queries }) => usageLines(segment, queries)),
    ...(isBilled(last, month.end) ? [baseLine(last, month)] : []),
  ];
  return seal({
    kind: 'plan',
    tenant_id: tenantId,
    month: month.name,
    invoice_date: month.lastDay,
    currency: 'usd',
    lines,
    total_queries: usage.reduce((sum, { queries }) => sum + queries, 0),
    amount_due_cents: lines.reduce((sum, line) => sum + line.amount_cents, 0),
  });
}

/** The billed spans of the month, one for each stretch under the same plan. */
function segmentsOf(terms: readonly TenantTerms[], month: Month): Segment[] {
  const segments: Segment[] = [];
  let isAnew = false;
  for (const [index, current] of terms.entries()) {
    const begins = latest(month.start, current.effectiveFrom, current.trialEndsAt ?? month.start);
    const end = earliest(month.end, terms[index + 1]?.effectiveFrom ?? month.end);
    isAnew ||= current.state === 'deleted';
    if (current.state !== 'active' || begins >= end) continue;
    const before = segments.at(-1);
    // A change that keeps the plan (a suspension undone) goes on with the same allowance.
    if (before?.terms.plan === current.plan && !isAnew) segments[segments.length - 1] = { ...before, end };
    else segments.push({ terms: current, start: begins, end, isAnew });
    isAnew = false;
  }
  return segments;
}

/** Events accepted before this belong to the month's own invoice. */
const closingOf = (month: Month) => new Date(month.end.getTime() + GRACE_MS);

/** Queries of a span, each once, as far as they were accepted before an instant. */
async function queriesIn(
  clickhouse: ClickHouseClient,
  tenantId: string,
  { start, end }: Period,
  acceptedBefore: Date,
): Promise<number> {
  const { from, params } = await invoicedEvents(clickhouse, {
    tenantIds: [tenantId],
    month: monthOf(start),
    acceptedBefore,
  });
  const result = await clickhouse.query({
    query: `
      SELECT sum(queries) AS queries
      FROM ${from}
      WHERE timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`,
    query_params: { ...params, from: start.getTime(), to: end.getTime() },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ queries: number }>();
  return row?.queries ?? 0;
}

/** Usage of earlier months that came after their invoices: what those would have been more. */
async function lateLines(clickhouse: ClickHouseClient, tenantId: string, month: Month): Promise<PlanLine[]> {
  const { from, params } = await invoicedEvents(clickhouse, { tenantIds: [tenantId], month });
  const result = await clickhouse.query({
    query: `
      SELECT DISTINCT formatDateTime(timestamp, '%Y-%m', 'UTC') AS name
      FROM ${from}
      WHERE timestamp < fromUnixTimestamp64Milli({start:Int64}, 'UTC')
      ORDER BY name`,
    query_params: params,
    format: 'JSONEachRow',
  });
  const lines: PlanLine[] = [];
  for (const { name } of await result.json<{ name: string }>()) {
    const earlier = parseMonth(name);
    const terms = await tenantTermsIn(clickhouse, { tenantId, period: earlier });
    for (const segment of segmentsOf(terms, earlier)) {
      const before = await queriesIn(clickhouse, tenantId, segment, closingOf(previousMonth(month.start)));
      const after = await queriesIn(clickhouse, tenantId, segment, closingOf(month));
      if (after > before) lines.push(lateLine(segment, before, after));
    }
  }
  return lines;
}

function lateLine(segment: Segment, before: number, after: number): PlanLine {
  const dueFor = (queries: number) =>
    usageLines(segment, queries).reduce((sum, line) => sum + line.amount_cents, 0);
  return {
    kind: 'usage',
    description: `${segment.terms.plan} queries, reported late`,
    quantity: after - before,
    amount_cents: dueFor(after) - dueFor(before),
    ...daysOf(segment),
  };
}

function usageLines(segment: Segment, queries: number): PlanLine[] {
  const plan = PLANS[segment.terms.plan];
  const tiers = [
    { upTo: plan.includedQueries, unitPrice: 0n },
    { upTo: null, unitPrice: plan.overagePerQuery },
  ];
  return tierLines(tiers, queries).map((line, index) => ({
    kind: 'usage',
    description: `${plan.name} queries, ${index === 0 ? 'included' : 'overage'}`,
    quantity: line.quantity,
    unit_price_usd: formatUsd(line.unitPrice),
    amount_cents: Number(line.amount),
    ...daysOf(segment),
  }));
}

function prorationLines(before: Segment | undefined, segment: Segment, month: Month): PlanLine[] {
  if (!before || segment.isAnew) return [];
  const charged = ({ start, terms }: Segment) =>
    prorate(PLANS[terms.plan].baseCents, { from: start, period: month });
  // Of what was charged, which for a part of the month was rounded before.
  const unused = prorate(-charged(before), {
    from: segment.start,
    period: { start: before.start, end: month.end },
  });
  const line = (plan: TenantTerms['plan'], text: string, amount: Cents): PlanLine => ({
    kind: 'proration',
    description: `${text} ${plan} after ${dayOf(segment.start)}`,
    quantity: 1,
    amount_cents: Number(amount),
    ...daysOf({ start: segment.start, end: month.end }),
  });
  return [
    line(before.terms.plan, 'Unused time on', unused),
    line(segment.terms.plan, 'Remaining time on', charged(segment)),
  ];
}

function baseLine(terms: TenantTerms, month: Month): PlanLine {
  const plan = PLANS[terms.plan];
  const next = parseMonth(dayOf(month.end).slice(0, 7));
  return {
    kind: 'base',
    description: `${plan.name} base fee`,
    quantity: 1,
    unit_price_usd: formatUsd(plan.baseCents * CENT),
    amount_cents: Number(plan.baseCents),
    ...daysOf(next),
  };
}

const daysOf = ({ start, end }: Period) => ({
  first_day: dayOf(start),
  last_day: dayOf(new Date(end.getTime() - 1)),
});
const latest = (...instants: Date[]) => new Date(Math.max(...instants.map(Number)));
const earliest = (...instants: Date[]) => new Date(Math.min(...instants.map(Number)));
