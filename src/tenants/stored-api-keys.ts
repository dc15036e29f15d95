/**
 * The keys of tenants that signed up. ClickHouse has them for good; Redis has a copy, which answers in one step and
 * is filled again after a wipe. While Redis is away the process reads them from ClickHouse, once a second.
 */
import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Redis } from 'ioredis';
import { ioredisOf } from '../ioredis-of.js';
import type { RedisClient } from '../redis-client.js';
import { deleteRows, insertRows } from '../tenant-rows.js';
import { hashedKey, isSameHash, type KeyHolder, type KeyLookup, newApiKey } from './api-keys.js';
import type { Forget } from './purge-tenant.js';

/* Found by its hash. A state never goes back, so that the highest is the newest, in whatever order
 * two processes wrote: a key that was revoked stays so. */
const API_KEYS_TABLE = `
  CREATE TABLE IF NOT EXISTS api_keys
  (
    tenant_id LowCardinality(String),
    key_hash  FixedString(64)         COMMENT 'SHA-256 of the key, which is nowhere',
    state     UInt8                   COMMENT '0 issued, 1 enabled, 2 revoked',
    at        DateTime64(3, 'UTC')
  )
  ENGINE = ReplacingMergeTree(state)
  ORDER BY key_hash`;

const [ISSUED, ENABLED, REVOKED] = [0, 1, 2] as const;
type KeyState = typeof ISSUED | typeof ENABLED | typeof REVOKED;

interface KeyRow {
  readonly tenant_id: string;
  readonly key_hash: string;
  readonly state: KeyState;
}

/** With a colon, which no tenant's id can have: see forget-keys.ts. */
const COPY = 'meterbridge:{:api-keys}';

/*
 * KEYS: the copy. ARGV: the mark of a filling or nothing, then index and row of each key. A row begins with the
 * digit of its state, and one with a lower state is older. A filling has all keys, unless the copy was wiped
 * since it was begun: its mark is gone then.
 */
const PUT = `
local mark = ARGV[1]
if mark ~= '' and redis.call('HDEL', KEYS[1], mark) == 0 then return 0 end
for i = 2, #ARGV, 2 do
  local held = redis.call('HGET', KEYS[1], ARGV[i])
  if not held or tonumber(held:sub(1, 1)) < tonumber(ARGV[i + 1]:sub(1, 1)) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
if mark ~= '' then redis.call('HSET', KEYS[1], 'complete', '1') end
return 1`;

type KeyRedis = Redis & {
  putKeys(keyCount: 1, key: string, mark: string, ...rows: string[]): Promise<0 | 1>;
};

/** How long Redis is left alone after it failed, and how old ClickHouse's answer may be meanwhile. */
const AWAY_MS = 1_000;

/** @example const keys = await StoredApiKeys.open(redis, clickhouse); await keys.issue('acme-corp') // 'mb_…' */
export class StoredApiKeys implements KeyLookup {
  readonly #redis: KeyRedis;
  readonly #clickhouse: ClickHouseClient;
  #awayUntil = Number.NEGATIVE_INFINITY;
  #filling: Promise<void> | undefined;
  #read: { rows: Promise<Map<string, KeyRow>>; until: number } | undefined;

  private constructor(redis: RedisClient, clickhouse: ClickHouseClient) {
    redis.defineCommand('putKeys', { lua: PUT });
    this.#redis = ioredisOf(redis) as KeyRedis;
    this.#clickhouse = clickhouse;
  }

  static async open(redis: RedisClient, clickhouse: ClickHouseClient): Promise<StoredApiKeys> {
    await clickhouse.command({ query: API_KEYS_TABLE });
    return new StoredApiKeys(redis, clickhouse);
  }

  /**
   * A new key for a tenant; it cannot be read again.
   *
   * @param options `enabled: false` for a tenant that is not active yet. @default true
   */
  async issue(tenantId: string, { enabled = true }: { enabled?: boolean } = {}): Promise<string> {
    const key = newApiKey();
    const state = enabled ? ENABLED : ISSUED;
    await this.#keep([{ tenant_id: tenantId, key_hash: hashedKey(key)?.hash ?? '', state }]);
    return key;
  }

  /** From now on the tenant's keys may ask queries; revoked ones stay revoked. */
  async enable(tenantId: string): Promise<void> {
    await this.#raise(tenantId, ENABLED);
  }

  /** From now on no key of the tenant opens anything; when this returns, no process takes one. */
  async revoke(tenantId: string): Promise<void> {
    await this.#raise(tenantId, REVOKED);
  }

  /** Takes a tenant's keys out of both stores: the purge's, long after they were revoked. */
  readonly forget: Forget = async (tenantId) => {
    const rows = await this.#select('WHERE tenant_id = {tenantId:String}', { tenantId });
    await deleteRows(this.#clickhouse, 'api_keys', [tenantId]);
    for (const row of rows) await this.#redis.hdel(COPY, indexOf(row));
    const line = { what: 'hashes of its keys', fate: 'removed', why: 'they open nothing' } as const;
    return { lines: (['ClickHouse', 'Redis'] as const).map((store) => ({ store, ...line })) };
  };

  /** @throws what ClickHouse says, when neither it nor Redis can be asked. */
  async holderOf(key: string): Promise<KeyHolder | undefined> {
    const asked = hashedKey(key);
    const found = asked && (await this.#find(asked.index));
    if (!found || !isSameHash(found.key_hash, asked.hash) || found.state === REVOKED) return undefined;
    return { tenantId: found.tenant_id, enabled: found.state === ENABLED };
  }

  async #find(index: string): Promise<KeyRow | undefined> {
    if (performance.now() >= this.#awayUntil) {
      const found = await this.#inRedis(index).catch(() => 'away' as const);
      if (found !== 'away') return found;
      this.#awayUntil = performance.now() + AWAY_MS;
    }
    return (await this.#inClickHouse()).get(index);
  }

  async #inRedis(index: string): Promise<KeyRow | undefined> {
    let [row, complete] = await this.#redis.hmget(COPY, index, 'complete');
    if (!row && !complete) {
      this.#filling ??= this.#fill().finally(() => {
        this.#filling = undefined;
      });
      await this.#filling;
      [row] = await this.#redis.hmget(COPY, index);
    }
    return row ? rowOf(row) : undefined;
  }

  async #fill(): Promise<void> {
    for (let isFilled: 0 | 1 = 0; !isFilled; ) {
      const mark = `filling:${randomUUID()}`;
      await this.#redis.hset(COPY, mark, '1');
      isFilled = await this.#put(await this.#select(''), mark);
    }
  }

  async #inClickHouse(): Promise<Map<string, KeyRow>> {
    if (!this.#read || performance.now() > this.#read.until) {
      const rows = this.#select('').then((all) => new Map(all.map((row) => [indexOf(row), row])));
      this.#read = { rows, until: performance.now() + AWAY_MS };
    }
    return this.#read.rows;
  }

  async #raise(tenantId: string, state: KeyState): Promise<void> {
    const rows = await this.#select('WHERE tenant_id = {tenantId:String}', { tenantId });
    await this.#keep(rows.map((row) => ({ ...row, state: row.state > state ? row.state : state })));
  }

  /** ClickHouse first: what is in Redis alone, a wipe would lose. */
  async #keep(rows: readonly KeyRow[]): Promise<void> {
    if (rows.length === 0) return;
    const lines = rows.map((row) => JSON.stringify({ ...row, at: Date.now() }));
    await insertRows(this.#clickhouse, 'api_keys', lines);
    await this.#put(rows);
  }

  async #put(rows: readonly KeyRow[], mark = ''): Promise<0 | 1> {
    const pairs = rows.flatMap((row) => [indexOf(row), `${row.state}:${row.key_hash}:${row.tenant_id}`]);
    return this.#redis.putKeys(1, COPY, mark, ...pairs);
  }

  async #select(where: string, params: Record<string, string> = {}): Promise<KeyRow[]> {
    const result = await this.#clickhouse.query({
      query: `SELECT tenant_id, key_hash, state FROM api_keys FINAL ${where}`,
      query_params: params,
      format: 'JSONEachRow',
    });
    return result.json<KeyRow>();
  }
}

const indexOf = ({ key_hash }: KeyRow) => key_hash.slice(0, 16);

function rowOf(text: string): KeyRow {
  const [state, key_hash = '', tenant_id = ''] = text.split(':');
  return { tenant_id, key_hash, state: Number(state) as KeyState };
}
