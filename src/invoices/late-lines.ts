/**
 * Usage of earlier months that is on no plan invoice yet: what those would have been more. Of issued
 * months their snapshots say what was billed, whenever the rest was accepted.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { tenantTermsIn } from '../metering/tenants.js';
import { closingOf, dayOf, type Month, parseMonth, previousMonth } from '../period.js';
import { invoicedEvents } from './invoiced-events.js';
import type { Issued } from './issued.js';
import type { PlanInvoice, PlanLine } from './plan-invoice.js';
import { daysOf, queriesIn, type Segment, segmentsOf, usageLines } from './segments.js';

/** One line for each segment of an earlier month that comes to something else than was billed. */
export async function lateLines(
  clickhouse: ClickHouseClient,
  tenantId: string,
  month: Month,
  { before, since }: Issued<PlanInvoice>,
): Promise<PlanLine[]> {
  const { from, params } = await invoicedEvents(clickhouse, { tenantIds: [tenantId], month, since });
  const result = await clickhouse.query({
    query: `
      SELECT usage_month AS name, sum(queries) AS queries
      FROM ${from}
      WHERE timestamp < fromUnixTimestamp64Milli({month:Int64}, 'UTC')
      GROUP BY name
      ORDER BY name`,
    query_params: { ...params, month: month.start.getTime() },
    format: 'JSONEachRow',
  });
  const billed = before.flatMap(({ lines }) => lines).filter(({ kind }) => kind === 'usage');
  const billedFrom = (day: string, end: string) =>
    billed
      .filter(({ first_day }) => first_day >= day && first_day < end)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  const usage = new Map(billed.map(({ first_day }) => [first_day.slice(0, 7), 0]));
  for (const { name, queries } of await result.json<UsageRow>()) usage.set(name, queries);
  const lines: PlanLine[] = [];
  for (const [name, queries] of [...usage].sort()) {
    const earlier = parseMonth(name);
    if (billedFrom(dayOf(earlier.start), dayOf(earlier.end)) === queries) continue;
    const segments = segmentsOf(await tenantTermsIn(clickhouse, { tenantId, period: earlier }), earlier);
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1]?.start ?? earlier.end;
      let known = billedFrom(dayOf(segment.start), dayOf(next));
      if (earlier.start < since.start) {
        // No snapshot has that month itself: it is on the invoices that were due before these.
        const due = closingOf(previousMonth(since.start));
        known += await queriesIn(clickhouse, tenantId, segment, due);
      }
      const now = await queriesIn(clickhouse, tenantId, segment, closingOf(month));
      if (now !== known) lines.push(lateLine(segment, known, now));
    }
  }
  // Less in all means that events were deleted, which gives nobody his money back; less in one month and
  // more in another is a copy that was accepted first and stored last.
  return lines.reduce((sum, { quantity }) => sum + quantity, 0) < 0 ? [] : lines;
}

interface UsageRow {
  name: string;
  queries: number;
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
