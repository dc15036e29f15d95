/** The tenants in Redis, their log until ClickHouse has it, and who is under way until when. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ioredisOf } from '../ioredis-of.js';
import type { RedisClient } from '../redis-client.js';
import { entryOf, type LifecycleEntry, rowOf } from './lifecycle-entry.js';
import type { LifecycleState } from './lifecycle-table.js';

/*
 * The braces keep all keys on one node of a Redis cluster, so that one script may write the state and
 * the one log of all tenants. A tenant changes a few times a month: one node has room for millions.
 * The colon within them no tenant's id can have: a tenant's purge takes all keys with its id in braces.
 */
const PREFIX = 'meterbridge:{:lifecycle}';
const LOG = `${PREFIX}:log`;
const DEADLINES = `${PREFIX}:deadlines`;
const keyOf = (tenantId: string) => `${PREFIX}:tenant:${tenantId}`;

/*
 * Compare, set and log: in one step, or two could win, or a change be missing from the log.
 *
 * KEYS: the tenant, the log, the deadlines. ARGV: versions expected and new, deadline in epoch ms (0:
 * none), states expected and new, the new row, the tenant's id, the id of this call. Answers whether it
 * was set, and state and version after it. A call that a client sends again after a lost connection
 * finds itself done, and is not told that another was quicker.
 */
const SET = `
local expected_version, version, deadline = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local expected_state, state, row, tenant_id, call = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local held = redis.call('HMGET', KEYS[1], 'state', 'version', 'call')
local held_state, held_version = held[1] or 'none', tonumber(held[2] or '0')
if held[3] == call then return {1, held_state, held_version} end
if held_state ~= expected_state or held_version ~= expected_version then
  return {0, held_state, held_version}
end
redis.call('HSET', KEYS[1], 'state', state, 'version', version, 'row', row, 'call', call)
redis.call('XADD', KEYS[2], '*', 'row', row)
redis.call('ZREM', KEYS[3], tenant_id)
if deadline > 0 then redis.call('ZADD', KEYS[3], deadline, tenant_id) end
return {1, state, version}
`;

/*
 * Brings a tenant back, unless Redis knows it at least as well. KEYS: the tenant, the deadlines. ARGV:
 * the version that ClickHouse has, the version to go on from, deadline, state, row, the tenant's id.
 */
const RESTORE = `
local stored_version, version, deadline = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state, row, tenant_id = ARGV[4], ARGV[5], ARGV[6]
if tonumber(redis.call('HGET', KEYS[1], 'version') or '0') >= stored_version then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', state, 'version', version, 'row', row)
redis.call('ZREM', KEYS[2], tenant_id)
if deadline > 0 then redis.call('ZADD', KEYS[2], deadline, tenant_id) end
return 1
`;

/**
 * Versions that a wiped Redis may have handed out, and nobody remembers: they are passed over, so that
 * a worker from before the wipe cannot end a transition that began after it.
 */
const FORGOTTEN_VERSIONS = 1_000;

type LifecycleRedis = Redis & {
  setLifecycle(keyCount: number, ...args: (string | number)[]): Promise<[won: number, string, number]>;
  restoreLifecycle(keyCount: number, ...args: (string | number)[]): Promise<number>;
};

/** A line of the log that ClickHouse may not have. */
export interface WaitingRow {
  readonly id: string;
  readonly row: string;
}

export class LifecycleStore {
  readonly #redis: LifecycleRedis;

  /** @example const store = new LifecycleStore(services.redis.client); */
  constructor(client: RedisClient) {
    client.defineCommand('setLifecycle', { lua: SET });
    client.defineCommand('restoreLifecycle', { lua: RESTORE });
    this.#redis = ioredisOf(client) as LifecycleRedis;
  }

  async read(tenantId: string): Promise<LifecycleEntry | undefined> {
    const row = await this.#redis.hget(keyOf(tenantId), 'row');
    return row === null ? undefined : entryOf(JSON.parse(row));
  }

  /** Puts `next` in the place of `current` and into the log, if the tenant still is `current`. */
  async replace(
    current: LifecycleEntry | undefined,
    next: LifecycleEntry,
  ): Promise<{ won: boolean; state: LifecycleState; version: number }> {
    const { tenantId } = next;
    const [won, state, version] = await this.#redis.setLifecycle(
      3,
      ...[keyOf(tenantId), LOG, DEADLINES],
      ...[current?.version ?? 0, next.version, next.deadline?.getTime() ?? 0],
      ...[current?.state ?? 'none', next.state, JSON.stringify(rowOf(next)), tenantId, randomUUID()],
    );
    return { won: won === 1, state: state as LifecycleState, version };
  }

  /** Whether the tenant was missing, or older than this entry of ClickHouse's, and is back. */
  async restore(entry: LifecycleEntry): Promise<boolean> {
    const { tenantId, version: stored, deadline, state } = entry;
    const version = stored + FORGOTTEN_VERSIONS;
    const restored = await this.#redis.restoreLifecycle(
      2,
      ...[keyOf(tenantId), DEADLINES],
      ...[stored, version, deadline?.getTime() ?? 0],
      ...[state, JSON.stringify(rowOf({ ...entry, version })), tenantId],
    );
    return restored === 1;
  }

  /** Tenants whose worker had its time. */
  async overdue(now: Date): Promise<string[]> {
    return this.#redis.zrangebyscore(DEADLINES, 0, now.getTime());
  }

  /** The oldest lines of the log. */
  async waiting(most: number): Promise<WaitingRow[]> {
    const entries = await this.#redis.xrange(LOG, '-', '+', 'COUNT', most);
    return entries.map(([id, [, row = '']]) => ({ id, row }));
  }

  /** Takes lines out of the log. */
  async drop(rows: readonly WaitingRow[]): Promise<void> {
    if (rows.length > 0) await this.#redis.xdel(LOG, ...rows.map(({ id }) => id));
  }
}
