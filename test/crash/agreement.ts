/** Whether events, both rollups and both invoices say what a reference says, to 1e-8 dollars. */
import { makeCostInvoices } from '../../src/invoices/cost-invoice.js';
import { makePlanInvoice } from '../../src/invoices/plan-invoice.js';
import type { UsageEvent } from '../../src/metering/event.js';
import { recordTenants } from '../../src/metering/tenants.js';
import { formatUsd, parseUsd } from '../../src/money.js';
import { HOUR_MS } from '../../src/period.js';
import type { Engine } from '../support/fronted.js';

type Place = 'usage_events FINAL' | 'usage_hourly' | 'usage_daily';
const TIMES: readonly (readonly [Place, expression: string, step: number])[] = [
  ['usage_events FINAL', "toUnixTimestamp(toStartOfHour(timestamp, 'UTC'))", HOUR_MS],
  ['usage_hourly', 'toUnixTimestamp(hour)', HOUR_MS],
  ['usage_daily', "toUnixTimestamp(toDateTime(day, 'UTC'))", 24 * HOUR_MS],
];

/** One sentence for each difference; none when all agree. */
export async function disagreements(
  engine: Engine,
  { reference, month }: { reference: readonly UsageEvent[]; month: string },
): Promise<string[]> {
  const problems: string[] = [];
  for (const [place, time, step] of TIMES) {
    const expected = sums(
      reference,
      ({ tenant_id, timestamp }) => `${tenant_id} ${new Date(timestamp - (timestamp % step)).toISOString()}`,
    );
    const rows = await engine.rows<{ tenant: string; at: number; queries: number; cost: string }>(`
      SELECT tenant_id AS tenant, ${time} AS at, sum(queries) AS queries, toString(sum(cost_usd)) AS cost
      FROM ${place}
      GROUP BY tenant, at`);
    const found = rows.map(
      ({ tenant, at, queries, cost }) =>
        [
          `${tenant} ${new Date(at * 1_000).toISOString()}`,
          `${queries} ${formatUsd(parseUsd(cost))}`,
        ] as const,
    );
    problems.push(...differences(place, expected, new Map(found)));
  }
  const expected = sums(reference, ({ tenant_id }) => tenant_id);
  const invoices = await makeCostInvoices(engine.clickhouse, { tenantIds: [...expected.keys()], month });
  const found = invoices.map(
    ({ invoice }) => [invoice.tenant_id, `${invoice.total_queries} ${invoice.total_cost_usd}`] as const,
  );
  problems.push(...differences('cost invoice', expected, new Map(found)));
  await recordTenants(
    engine.clickhouse,
    [...expected.keys()].map((tenantId) => ({
      tenantId,
      plan: 'starter',
      state: 'active',
      effectiveFrom: BEGIN,
    })),
  );
  const queries = new Map<string, string>();
  for (const tenantId of expected.keys()) {
    const { invoice } = await makePlanInvoice(engine.clickhouse, { tenantId, month });
    queries.set(tenantId, String(invoice.total_queries));
  }
  const counts = [...expected].map(([tenantId, sum]) => [tenantId, sum.split(' ')[0] ?? ''] as const);
  return [...problems, ...differences('plan invoice', new Map(counts), queries)];
}

/** Before any usage. */
const BEGIN = new Date('2025-01-01T00:00:00Z');

function sums(events: readonly UsageEvent[], keyOf: (event: UsageEvent) => string): Map<string, string> {
  const totals = new Map<string, { queries: number; cost: bigint }>();
  for (const event of events) {
    const key = keyOf(event);
    const total = totals.get(key) ?? { queries: 0, cost: 0n };
    total.queries += event.queries;
    total.cost += parseUsd(event.cost_usd);
    totals.set(key, total);
  }
  return new Map([...totals].map(([key, { queries, cost }]) => [key, `${queries} ${formatUsd(cost)}`]));
}

function differences(place: string, expected: Map<string, string>, found: Map<string, string>): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((key) =>
    expected.get(key) === found.get(key)
      ? []
      : [`${place}, ${key}: ${found.get(key) ?? 'nothing'} instead of ${expected.get(key) ?? 'nothing'}`],
  );
}
