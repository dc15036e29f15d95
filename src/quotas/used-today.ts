/** What ClickHouse knows of a tenant's day: where a counter begins that is new or was wiped. */
import type { ClickHouseClient } from '@clickhouse/client';
import { dayOf } from '../period.js';
import { sayFailure } from '../say-failure.js';
import { NOTHING_USED, type QuotaCounts, type UsedToday } from './quota-gate.js';

/**
 * Redis is the gate, ClickHouse the truth. After a wipe in the middle of a day at most quota + U
 * requests pass, U being those that were admitted and are not yet in ClickHouse; after a flush of
 * the tracker U is 0. Failed queries count here as they do at the gate. While ClickHouse is away a
 * count that is not there begins at 0: a tenant may use its day's quota again, and nobody is refused
 * for a failure of ours.
 *
 * Those who ask at once share one answer: the first requests of a tenant's day come together, and all ask.
 *
 * @example const gate = redisQuotaGate(redis, { usedToday: usedTodayFrom(clickhouse) });
 */
export function usedTodayFrom(clickhouse: ClickHouseClient): UsedToday {
  const underWay = new Map<string, Promise<QuotaCounts>>();
  return async (tenantId, now) => {
    const key = `${tenantId} ${dayOf(now)}`;
    const known = underWay.get(key);
    if (known) return known;
    const counts = readOrNothing(clickhouse, tenantId, now).finally(() => underWay.delete(key));
    underWay.set(key, counts);
    return counts;
  };
}

async function readOrNothing(
  clickhouse: ClickHouseClient,
  tenantId: string,
  now: Date,
): Promise<QuotaCounts> {
  const read = () => readUsed(clickhouse, tenantId, now);
  const again = (error: unknown) => (isCut(error) ? read() : Promise.reject(error));
  // Said, since it may as well be a fault of ours as a server that is away.
  const used = await read()
    .catch(again)
    .catch(sayFailure(`The gate counts ${tenantId} from 0`));
  return used ?? NOTHING_USED;
}

async function readUsed(clickhouse: ClickHouseClient, tenantId: string, now: Date): Promise<QuotaCounts> {
  const result = await clickhouse.query({
    query: `
      SELECT
        sumIf(events, event_type = 'query') AS queries,
        sum(tokens_input) + sum(tokens_output) AS tokens
      FROM usage_daily
      WHERE tenant_id = {tenantId:String}
        AND day = {day:Date}`,
    query_params: { tenantId, day: dayOf(now) },
    format: 'JSONEachRow',
  });
  const [used] = await result.json<QuotaCounts>();
  return used ?? NOTHING_USED;
}

/** A kept connection that the server closed just then is no outage, and a count from 0 would be the quota twice. */
const isCut = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
