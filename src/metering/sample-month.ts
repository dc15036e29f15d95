/**
 * The sample month: November 2025 of some fifty tenants, made inside the engine from formulas,
 * the same at every load. Three of them are the course's, and their events add up to its CSV.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { ForeignDataError } from '../errors.js';
import { parseMonth } from '../period.js';
import { deleteUsage } from './delete-usage.js';
import { generateEvents } from './generate-events.js';
import { type SampleTenant, sampleTenants } from './sample-tenants.js';
import { EVENTS_TABLE } from './tables.js';
import { recordTenants } from './tenants.js';

export const SAMPLE_MONTH = parseMonth('2025-11');

/** The kit's clock while it looks at the sample: the first instant of December. */
export const SAMPLE_NOW = SAMPLE_MONTH.end;

export interface LoadSampleOptions {
  /** Events in all; the course's tenants keep theirs, the others share the rest. @default 1_000_000 */
  readonly events?: number | undefined;
  /** Other tenants of whom the database may have usage. @default none */
  readonly beside?: readonly string[];
  /** Called after each portion with the events stored so far. */
  readonly onProgress?: (loaded: number, total: number) => void;
}

export interface SampleMonth {
  readonly tenants: readonly SampleTenant[];
  /** Events that are there. */
  readonly events: number;
  /** False when the month was there already and was left as it is. */
  readonly loaded: boolean;
}

/**
 * Loads the sample month, unless it is there already.
 *
 * @throws ForeignDataError when the database has usage of other tenants, RangeError for too few events.
 * @example const { events } = await loadSampleMonth(clickhouse, { events: 105_000 });
 */
export async function loadSampleMonth(
  clickhouse: ClickHouseClient,
  { events, beside = [], onProgress = () => undefined }: LoadSampleOptions = {},
): Promise<SampleMonth> {
  const tenants = sampleTenants({ events, month: SAMPLE_MONTH });
  const total = tenants.reduce((sum, tenant) => sum + tenant.queries, 0);
  const ids = tenants.map(({ tenantId }) => tenantId);
  if (await isLoaded(clickhouse, ids, beside))
    return { tenants, events: await countEvents(clickhouse, ids), loaded: false };
  let loaded = 0;
  for (const portion of portionsOf(tenants.filter(({ queries }) => queries > 0))) {
    await generateEvents(clickhouse, portion);
    loaded += portion.reduce((sum, tenant) => sum + tenant.queries, 0);
    onProgress(loaded, total);
  }
  // Written last: a load that was cut short has no tenants, and starts anew.
  await recordTenants(
    clickhouse,
    tenants.flatMap(({ terms }) => terms),
  );
  return { tenants, events: total, loaded: true };
}

/**
 * Puts one sample tenant's usage back as the sample has it, e.g. after it was deleted.
 *
 * @throws RangeError when the sample has no such tenant.
 * @example await restoreSampleTenant(clickhouse, { tenantId: 'acme-corp' });
 */
export async function restoreSampleTenant(
  clickhouse: ClickHouseClient,
  { tenantId, events }: { tenantId: string; events?: number | undefined },
): Promise<void> {
  const tenant = sampleTenants({ events, month: SAMPLE_MONTH }).find((one) => one.tenantId === tenantId);
  if (!tenant) throw new RangeError(`Cannot restore tenant: the sample has no ${JSON.stringify(tenantId)}`);
  await deleteUsage(clickhouse, { tenantId });
  if (tenant.queries > 0) await generateEvents(clickhouse, [tenant]);
}

async function countEvents(clickhouse: ClickHouseClient, ids: readonly string[]): Promise<number> {
  const result = await clickhouse.query({
    query: 'SELECT sum(events) AS events FROM usage_daily WHERE tenant_id IN {ids:Array(String)}',
    query_params: { ids },
    format: 'JSONEachRow',
  });
  return (await result.json<{ events: number }>())[0]?.events ?? 0;
}

async function isLoaded(
  clickhouse: ClickHouseClient,
  ids: readonly string[],
  beside: readonly string[],
): Promise<boolean> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, max(has_terms) AS has_terms
      FROM
      (
        -- Later than that are only the events that a readiness check plants.
        SELECT DISTINCT tenant_id, 0 AS has_terms FROM ${EVENTS_TABLE} WHERE timestamp < '2090-01-01'
        UNION ALL
        SELECT DISTINCT tenant_id, 1 AS has_terms FROM tenant_quotas
      )
      GROUP BY tenant_id
      ORDER BY tenant_id`,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ tenant_id: string; has_terms: number }>();
  const foreign = rows.map(({ tenant_id }) => tenant_id).filter((id) => ![...ids, ...beside].includes(id));
  if (foreign.length > 0) throw new ForeignDataError(foreign);
  const own = rows.filter(({ tenant_id }) => ids.includes(tenant_id));
  if (own.some(({ has_terms }) => has_terms)) return true;
  // What a load that was cut off has left.
  if (own.length > 0) await deleteUsage(clickhouse, { tenantId: ids });
  return false;
}

/** Events of one INSERT, about. */
const PORTION = 100_000;

function portionsOf(tenants: readonly SampleTenant[]): SampleTenant[][] {
  const portions: SampleTenant[][] = [];
  let size = PORTION;
  for (const tenant of tenants) {
    if (size >= PORTION) {
      portions.push([]);
      size = 0;
    }
    portions.at(-1)?.push(tenant);
    size += tenant.queries;
  }
  return portions;
}
