/**
 * The sample month: November 2025 of some fifty tenants, made inside the engine from formulas,
 * the same at every load. Three of them are the course's, and their events add up to its CSV.
 */
import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import { ForeignDataError } from '../errors.js';
import { DAY_MS, type Period, parseMonth } from '../period.js';
import { costOf, PRICE_TABLES, priceTableAt } from './costs.js';
import { deleteUsage } from './delete-usage.js';
import { type SampleTenant, sampleTenants } from './sample-tenants.js';
import { EVENTS_TABLE } from './tables.js';
import { recordTenants } from './tenants.js';

export const SAMPLE_MONTH = parseMonth('2025-11');

/** The kit's clock while it looks at the sample: the first instant of December. */
export const SAMPLE_NOW = SAMPLE_MONTH.end;

export interface LoadSampleOptions {
  /** Events in all; the course's tenants keep theirs, the others share the rest. @default 1_000_000 */
  readonly events?: number | undefined;
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
 * @example const { events } = await loadSampleMonth(clickhouse, { events: 100_000 });
 */
export async function loadSampleMonth(
  clickhouse: ClickHouseClient,
  { events, onProgress = () => undefined }: LoadSampleOptions = {},
): Promise<SampleMonth> {
  const tenants = sampleTenants({ events, month: SAMPLE_MONTH });
  const total = tenants.reduce((sum, tenant) => sum + tenant.queries, 0);
  if (await isLoaded(clickhouse, tenants))
    return { tenants, events: await countEvents(clickhouse), loaded: false };
  let loaded = 0;
  for (const portion of portionsOf(tenants.filter(({ queries }) => queries > 0))) {
    await insertSample(clickhouse, portion);
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
 */
export async function restoreSampleTenant(
  clickhouse: ClickHouseClient,
  { tenantId, events }: { tenantId: string; events?: number | undefined },
): Promise<void> {
  const tenant = sampleTenants({ events, month: SAMPLE_MONTH }).find((one) => one.tenantId === tenantId);
  if (!tenant) throw new RangeError(`Cannot restore tenant: the sample has no ${JSON.stringify(tenantId)}`);
  await deleteUsage(clickhouse, { tenantId });
  if (tenant.queries > 0) await insertSample(clickhouse, [tenant]);
}

async function countEvents(clickhouse: ClickHouseClient): Promise<number> {
  const result = await clickhouse.query({
    query: 'SELECT sum(events) AS events FROM usage_daily',
    format: 'JSONEachRow',
  });
  return (await result.json<{ events: number }>())[0]?.events ?? 0;
}

async function isLoaded(clickhouse: ClickHouseClient, tenants: readonly SampleTenant[]): Promise<boolean> {
  const known = new Set(tenants.map(({ tenantId }) => tenantId));
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
  const foreign = rows.filter(({ tenant_id }) => !known.has(tenant_id));
  if (foreign.length > 0) throw new ForeignDataError(foreign.map(({ tenant_id }) => tenant_id));
  if (rows.some(({ has_terms }) => has_terms)) return true;
  if (rows.length > 0) {
    for (const table of [EVENTS_TABLE, 'usage_hourly', 'usage_daily']) {
      await clickhouse.command({ query: `TRUNCATE TABLE ${table}` });
    }
  }
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

/** How the queries of a day spread over its 24 hours; they add up to 240, so that 10 is the average. */
const HOURS = [5, 3, 2, 2, 2, 3, 5, 9, 13, 17, 18, 17, 14, 16, 18, 18, 16, 13, 10, 8, 8, 7, 6, 10];
const ENDS = HOURS.map((_, hour) => HOURS.slice(0, hour + 1).reduce((sum, weight) => sum + weight, 0));

/*
 * Event i of n takes its share of the month's tokens, plus or minus a hash that the next event
 * takes the other way, so that pairs cancel and the sum is exact. Its time is even over the
 * tenant's span, first and last millisecond included, and then bent within the day by HOURS.
 * Everything is whole numbers: the same rows on every machine.
 */
async function insertSample(clickhouse: ClickHouseClient, tenants: readonly SampleTenant[]): Promise<void> {
  const share = (total: string, salt: string) => `
        intDiv((i + 1) * ${total}, n) - intDiv(i * ${total}, n)
          + multiIf(i % 2 = 1, -1, i + 1 = n, 0, 1)
          * toInt64(cityHash64(tenant_id, intDiv(i, 2), '${salt}') % intDiv(${total}, n))`;
  await clickhouse.command({
    query: `
      INSERT INTO ${EVENTS_TABLE}
        (tenant_id, event_id, event_type, timestamp, queries, tokens_input, tokens_output, bytes,
         model, endpoint, latency_ms, cost_usd, price_version, created_at)
      SETTINGS insert_deduplication_token = '${randomUUID()}'
      WITH
        ${share('total_in', 'in')} AS tokens_in,
        ${share('total_out', 'out')} AS tokens_out,
        intDiv(i * (span_ms - 1), greatest(n - 1, 1)) AS even_ms,
        even_ms % ${DAY_MS} * 240 AS x,
        arrayCount(e -> e * ${DAY_MS} <= x, [${ENDS}]) AS hour,
        intDiv(x - [${[0, ...ENDS]}][hour + 1] * ${DAY_MS}, 24 * [${HOURS}][hour + 1]) AS in_hour_ms,
        start_ms + intDiv(even_ms, ${DAY_MS}) * ${DAY_MS} + hour * 3600000 + in_hour_ms AS ms
      SELECT
        tenant_id,
        reinterpretAsUUID(sipHash128('meterbridge', tenant_id, i)) AS event_id,
        'query' AS event_type,
        fromUnixTimestamp64Milli(toInt64(ms), 'UTC') AS timestamp,
        1 AS queries,
        tokens_in AS tokens_input,
        tokens_out AS tokens_output,
        0 AS bytes,
        model,
        '/query' AS endpoint,
        200 + cityHash64(tenant_id, i, 'latency') % 800 AS latency_ms,
        toDecimal64(base_units + tokens_in * in_units + tokens_out * out_units, 8) / 100000000 AS cost_usd,
        price_version,
        timestamp AS created_at
      FROM values(
        'tenant_id String, n Int64, total_in Int64, total_out Int64, start_ms Int64, span_ms Int64,
         model String, price_version String, base_units Int64, in_units Int64, out_units Int64',
        ${tenants.map(valuesRow).join(',\n        ')})
      ARRAY JOIN range(toUInt64(n)) AS i`,
  });
}

function valuesRow({ tenantId, queries, tokensInput, tokensOutput, model, span }: SampleTenant): string {
  const prices = priceTableAt(PRICE_TABLES, span.start);
  const unitsOf = (usage: { queries?: number; tokensInput?: number; tokensOutput?: number }) =>
    costOf(prices, { model, queries: 0, tokensInput: 0, tokensOutput: 0, bytes: 0, ...usage });
  const row = [
    `'${tenantId}'`,
    queries,
    tokensInput,
    tokensOutput,
    span.start.getTime(),
    lengthOf(span),
    `'${model}'`,
    `'${prices.version}'`,
    unitsOf({ queries: 1 }),
    unitsOf({ tokensInput: 1 }),
    unitsOf({ tokensOutput: 1 }),
  ];
  return `(${row.join(', ')})`;
}

const lengthOf = ({ start, end }: Period) => end.getTime() - start.getTime();
