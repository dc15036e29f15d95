/** The billed spans of a month, one for each stretch under the same plan, and what their usage costs. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { TenantTerms } from '../metering/tenants.js';
import { formatUsd } from '../money.js';
import { dayOf, type Month, monthOf, type Period } from '../period.js';
import { PLANS } from '../plans.js';
import { invoicedEvents } from './invoiced-events.js';
import type { PlanLine } from './plan-invoice.js';
import { tierLines } from './tiers.js';

/** A span of the month under one plan. */
export interface Segment extends Period {
  readonly terms: TenantTerms;
  /** Whether the tenant was deleted before it: a new subscription has an allowance of its own. */
  readonly isAnew: boolean;
}

/** The billed spans of the month, one for each stretch under the same plan. */
export function segmentsOf(terms: readonly TenantTerms[], month: Month): Segment[] {
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

/** Queries of a span, each once, as far as they were accepted before an instant. */
export async function queriesIn(
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

export function usageLines(segment: Segment, queries: number): PlanLine[] {
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

export const daysOf = ({ start, end }: Period) => ({
  first_day: dayOf(start),
  last_day: dayOf(new Date(end.getTime() - 1)),
});
const latest = (...instants: Date[]) => new Date(Math.max(...instants.map(Number)));
const earliest = (...instants: Date[]) => new Date(Math.min(...instants.map(Number)));
