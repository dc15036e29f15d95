/** The lifecycle log in ClickHouse: every transition, for good. */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { insertRows } from '../tenant-rows.js';
import { entryOf, type LifecycleEntry, type LifecycleRow } from './lifecycle-entry.js';
import type { LifecycleStore } from './lifecycle-store.js';

/*
 * ORDER BY (tenant_id, version) is an entry's identity: one that was inserted twice, since its mover
 * was killed before it could tell Redis, is one row under FINAL. For good: no TTL.
 */
const LIFECYCLE_LOG = `
  CREATE TABLE IF NOT EXISTS lifecycle_log
  (
    tenant_id   LowCardinality(String),
    version     UInt64                         COMMENT 'grows with each transition of the tenant',
    event       LowCardinality(String)         COMMENT 'e.g. upgrade',
    from_state  LowCardinality(String),
    to_state    LowCardinality(String),
    at          DateTime64(3, 'UTC'),
    by_whom     LowCardinality(String)         COMMENT 'e.g. dunning; never a person',
    reason      String,
    plan        LowCardinality(String)         COMMENT 'the one agreed on',
    target_plan LowCardinality(String)         COMMENT 'the one on its way, or empty',
    deadline    Nullable(DateTime64(3, 'UTC')) COMMENT 'of the transition in progress'
  )
  ENGINE = ReplacingMergeTree
  ORDER BY (tenant_id, version)`;

/** Creates the table if it is missing. */
export async function createLifecycleLog(clickhouse: ClickHouseClient): Promise<void> {
  await clickhouse.command({ query: LIFECYCLE_LOG });
}

/** Lines that travel together. */
const MOST_ROWS = 1_000;

/**
 * Moves what waits in Redis into ClickHouse, and lets go of it in Redis only then. Several movers at
 * once, and one that is killed anywhere, store everything once.
 *
 * @returns how many lines were moved
 * @throws what ClickHouse or Redis says; the lines stay in Redis
 */
export async function moveLifecycleLog(store: LifecycleStore, clickhouse: ClickHouseClient): Promise<number> {
  for (let moved = 0; ; ) {
    const waiting = await store.waiting(MOST_ROWS);
    if (waiting.length === 0) return moved;
    const lines = waiting.map(({ row }) => row);
    await insertRows(clickhouse, 'lifecycle_log', lines);
    await store.drop(waiting);
    moved += waiting.length;
  }
}

/**
 * A tenant's log, oldest first.
 *
 * @throws InvalidInputError for a malformed tenant id.
 * @example (await readLifecycleLog(clickhouse, 'acme-corp')).map(({ event }) => event) // ['sign_up', 'pay']
 */
export async function readLifecycleLog(
  clickhouse: ClickHouseClient,
  tenantId: string,
): Promise<LifecycleEntry[]> {
  parseInput(tenantIdSchema, 'tenant id', tenantId);
  return readEntries(clickhouse, 'WHERE tenant_id = {tenantId:String} ORDER BY version', { tenantId });
}

/** The last entry of a tenant, or of each. */
export async function readLastEntries(
  clickhouse: ClickHouseClient,
  tenantId?: string,
): Promise<LifecycleEntry[]> {
  const where = tenantId === undefined ? '' : 'WHERE tenant_id = {tenantId:String}';
  return readEntries(clickhouse, `${where} ORDER BY tenant_id, version DESC LIMIT 1 BY tenant_id`, {
    ...(tenantId !== undefined && { tenantId }),
  });
}

/** A tenant that asked for its deletion, and has not come back. */
export interface Deletion {
  readonly tenantId: string;
  readonly state: 'deleted' | 'purging';
  /** When it asked last. */
  readonly deletedAt: Date;
}

/** The deletion of a tenant, or all that are not complete, the oldest first. */
export async function readDeletions(clickhouse: ClickHouseClient, tenantId = ''): Promise<Deletion[]> {
  const result = await clickhouse.query({
    query: `
      SELECT
        tenant_id AS tenantId,
        argMax(to_state, version) AS state,
        toUnixTimestamp64Milli(maxIf(at, event = 'delete')) AS ms
      FROM lifecycle_log
      WHERE {tenantId:String} IN ('', tenant_id)
      GROUP BY tenant_id
      HAVING state IN ('deleted', 'purging')
      ORDER BY ms, tenantId`,
    query_params: { tenantId },
    format: 'JSONEachRow',
  });
  const rows = await result.json<Pick<Deletion, 'tenantId' | 'state'> & { ms: number }>();
  return rows.map(({ ms, ...row }) => ({ ...row, deletedAt: new Date(Number(ms)) }));
}

/** Takes out of a tenant's log what somebody wrote in his own words. */
export async function forgetReasons(clickhouse: ClickHouseClient, tenantId: string): Promise<void> {
  await clickhouse.command({
    query: `
      ALTER TABLE lifecycle_log
      UPDATE reason = ''
      WHERE tenant_id = {tenantId:String} AND reason != ''
      SETTINGS mutations_sync = 1`,
    query_params: { tenantId },
  });
}

async function readEntries(
  clickhouse: ClickHouseClient,
  rest: string,
  params: Record<string, string>,
): Promise<LifecycleEntry[]> {
  const ms = (column: string) => `toUnixTimestamp64Milli(${column}) AS ${column}`;
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, version, event, from_state, to_state, by_whom, reason, plan, target_plan,
        ${ms('at')}, ${ms('deadline')}
      FROM lifecycle_log FINAL
      ${rest}`,
    query_params: params,
    format: 'JSONEachRow',
  });
  return (await result.json<LifecycleRow>()).map(entryOf);
}
