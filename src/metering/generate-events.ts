/** Makes the events of sample tenants inside the engine, from formulas: a million in some seconds. */
import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import { DAY_MS, type Period } from '../period.js';
import { costOf, PRICE_TABLES, priceTableAt } from './costs.js';
import type { SampleTenant } from './sample-tenants.js';
import { EVENTS_TABLE } from './tables.js';

/** How the queries of a day spread over its 24 hours; they add up to 240, so that 10 is the average. */
const HOURS = [5, 3, 2, 2, 2, 3, 5, 9, 13, 17, 18, 17, 14, 16, 18, 18, 16, 13, 10, 8, 8, 7, 6, 10];
const ENDS = HOURS.map((_, hour) => HOURS.slice(0, hour + 1).reduce((sum, weight) => sum + weight, 0));

/*
 * Event i of n takes its share of the month's tokens, plus or minus a hash that the next event
 * takes the other way, so that pairs cancel and the sum is exact. Its time is even over the
 * tenant's span, first and last millisecond included, and then bent within the day by HOURS.
 * Everything is whole numbers: the same rows on every machine.
 */
export async function generateEvents(
  clickhouse: ClickHouseClient,
  tenants: readonly SampleTenant[],
): Promise<void> {
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
