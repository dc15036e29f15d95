/** What the stores say after a run, as plain data for the checks. */
import type { ClickHouseClient } from '@clickhouse/client';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { reportDays } from '../../src/billing/report-days.js';
import { openReportLedger } from '../../src/billing/report-ledger.js';
import { makePlanInvoice } from '../../src/invoices/plan-invoice.js';
import { ROLLUP_TABLES } from '../../src/metering/tables.js';
import { DAY_MS } from '../../src/period.js';
import type { Counts, LoadedRun, StoredEvent } from './checks.js';
import type { SignedUpTenant } from './sign-up-tenants.js';
import type { LoadedSystem } from './system.js';

type Stores = Pick<LoadedSystem, 'clickhouse' | 'stripe'>;

/** @param url of a server that answers */
export async function findOut(
  { clickhouse, stripe }: Stores,
  { tenants, url }: { tenants: readonly SignedUpTenant[]; url: string },
): Promise<Omit<LoadedRun, 'tenants' | 'answers' | 'signups'>> {
  const stored = await rowsOf<StoredEvent>(
    clickhouse,
    `SELECT tenant_id AS tenantId, toString(event_id) AS eventId, toString(toDate(timestamp, 'UTC')) AS day
     FROM usage_events`,
  );
  const days = [...new Set(stored.map(({ day }) => day))].sort();
  const [first = '', last = first] = [days[0], days.at(-1)];
  const [hourly, daily] = await Promise.all(ROLLUP_TABLES.map((table) => countsOf(clickhouse, table)));
  const [told, askedForOthers] = [new Map<string, number>(), [] as number[]];
  for (const [index, { tenantId, key }] of tenants.entries()) {
    const ask = (id: string) =>
      fetch(`${url}/api/tenants/${id}/usage?start_date=${first}&end_date=${last}`, {
        headers: { authorization: `Bearer ${key}` },
      });
    const usage = (await (await ask(tenantId)).json()) as { totals?: { queries: number } };
    told.set(tenantId, usage.totals?.queries ?? Number.NaN);
    const other = tenants[(index + 1) % tenants.length];
    if (other && other.tenantId !== tenantId) askedForOthers.push((await ask(other.tenantId)).status);
  }
  return {
    ...{ stored, rollups: { usage_hourly: hourly ?? {}, usage_daily: daily ?? {} } },
    ...{ told: Object.fromEntries(told), askedForOthers },
    invoiced: await invoiced(clickhouse, { tenants, days }),
    metered: await metered({ clickhouse, stripe }, { tenants, first, last }),
  };
}

/** Queries by tenant, of a rollup. */
export async function countsOf(clickhouse: ClickHouseClient, table: string): Promise<Counts> {
  const rows = await rowsOf<{ tenant: string; queries: number }>(
    clickhouse,
    `SELECT tenant_id AS tenant, sum(queries) AS queries FROM ${table} GROUP BY tenant`,
  );
  return Object.fromEntries(rows.map(({ tenant, queries }) => [tenant, queries]));
}

/** A run over midnight on the 1st is on two invoices. */
async function invoiced(
  clickhouse: ClickHouseClient,
  { tenants, days }: { tenants: readonly SignedUpTenant[]; days: readonly string[] },
): Promise<Counts> {
  const counts = new Map<string, number>();
  for (const month of new Set(days.map((day) => day.slice(0, 7)))) {
    for (const { tenantId } of tenants) {
      const { invoice } = await makePlanInvoice(clickhouse, { tenantId, month });
      counts.set(tenantId, (counts.get(tenantId) ?? 0) + invoice.total_queries);
    }
  }
  return Object.fromEntries(counts);
}

/** Reports what was used, today too, and reads it back from Stripe. */
async function metered(
  { clickhouse, stripe }: Stores,
  { tenants, first, last }: { tenants: readonly SignedUpTenant[]; first: string; last: string },
): Promise<Counts> {
  const catalogue = await ensureCatalogue(stripe);
  const billing = new StripeBillingManager(stripe, { catalogue });
  const books = { clickhouse, billing, ledger: await openReportLedger(clickhouse), now: new Date() };
  const failed = await reportDays(books, { withToday: true });
  if (failed[0]) throw new Error(`${failed.length} days could not be reported: ${failed[0].error}`);
  const period = { start_time: Date.parse(first) / 1_000, end_time: (Date.parse(last) + DAY_MS) / 1_000 };
  const counts = new Map<string, number>();
  for (const { tenantId, customerId: customer } of tenants) {
    const { data } = await stripe.billing.meters.listEventSummaries(catalogue.meterId, {
      customer,
      ...period,
    });
    counts.set(
      tenantId,
      data.reduce((sum, { aggregated_value }) => sum + aggregated_value, 0),
    );
  }
  return Object.fromEntries(counts);
}

async function rowsOf<Row>(clickhouse: ClickHouseClient, query: string): Promise<Row[]> {
  return (await clickhouse.query({ query, format: 'JSONEachRow' })).json();
}
