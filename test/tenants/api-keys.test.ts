import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiKeys, newApiKey } from '../../src/tenants/api-keys.js';
import { StoredApiKeys } from '../../src/tenants/stored-api-keys.js';
import { type Fronted, openFronted } from '../support/fronted.js';
import { openPrivateRedis } from '../support/private-redis.js';

describe('ApiKeys', () => {
  it('knows the keys that it gave out, and no others', () => {
    const keys = new ApiKeys();
    const [first, second] = [keys.issue('acme-corp'), keys.issue('acme-corp')];
    expect(first).not.toBe(second);
    const acme = { tenantId: 'acme-corp', enabled: true };
    expect(
      [first, second, `${first}x`, '', 'acme-corp', newApiKey()].map((one) => keys.holderOf(one)),
    ).toEqual([acme, acme, undefined, undefined, undefined, undefined]);
  });

  it('does not show a key when it is printed', () => {
    const keys = new ApiKeys();
    const key = keys.issue('acme-corp');
    expect(JSON.stringify(keys) + String(keys)).not.toContain(key);
  });
});

describe('StoredApiKeys', () => {
  let engine: Fronted;
  let redis: Awaited<ReturnType<typeof openPrivateRedis>>;
  let keys: StoredApiKeys;
  beforeAll(async () => {
    [engine, redis] = await Promise.all([openFronted(), openPrivateRedis()]);
  });
  afterAll(async () => {
    await Promise.all([engine.close(), redis.close()]);
  });
  beforeEach(async () => {
    await redis.client.flushall();
    keys = await StoredApiKeys.open(redis.client, engine.clickhouse);
    await engine.command('TRUNCATE TABLE api_keys');
  });
  const another = () => StoredApiKeys.open(redis.another(), engine.clickhouse);
  const statesOf = async (issued: readonly string[], from = keys) =>
    Promise.all(issued.map(async (key) => (await from.holderOf(key))?.enabled));

  it('opens its tenant, and queries once it is enabled', async () => {
    const key = await keys.issue('acme-corp', { enabled: false });
    const other = await keys.issue('beta-inc', { enabled: false });
    expect(await keys.holderOf(key)).toEqual({ tenantId: 'acme-corp', enabled: false });
    await keys.enable('acme-corp');
    expect(await statesOf([key, other, newApiKey()])).toEqual([true, false, undefined]);
    expect(await statesOf([key, other], await another())).toEqual([true, false]);
  });

  it('revokes all keys of a tenant in every process, for good', async () => {
    const issued = [await keys.issue('acme-corp'), await keys.issue('acme-corp', { enabled: false })];
    const other = await keys.issue('beta-inc');
    const elsewhere = await another();
    expect(await statesOf(issued, elsewhere)).toEqual([true, false]);
    await keys.revoke('acme-corp');
    expect(await statesOf([...issued, other], elsewhere)).toEqual([undefined, undefined, true]);
    await keys.enable('acme-corp');
    await redis.client.flushall();
    expect(await statesOf([...issued, other])).toEqual([undefined, undefined, true]);
    const fresh = await keys.issue('acme-corp');
    expect(await statesOf([...issued, fresh])).toEqual([undefined, undefined, true]);
  });

  it('loses none with a wiped Redis, also where many ask at once', async () => {
    const issued = [await keys.issue('acme-corp'), await keys.issue('beta-inc', { enabled: false })];
    await redis.client.flushall();
    const asked = await Promise.all(Array.from({ length: 50 }, () => statesOf(issued)));
    expect(new Set(asked.map(String))).toEqual(new Set(['true,false']));
  });

  it('does not take for all keys what was read before Redis was wiped', async () => {
    const query = engine.clickhouse.query.bind(engine.clickhouse);
    let late = '';
    const spy = vi.spyOn(engine.clickhouse, 'query').mockImplementationOnce((async (asked) => {
      const read = await query(asked);
      late = await keys.issue('acme-corp');
      await redis.client.flushall();
      return read;
    }) as typeof query);
    await keys.holderOf(newApiKey());
    expect(await statesOf([late])).toEqual([true]);
    spy.mockRestore();
  });

  it('asks ClickHouse of no unknown key, once Redis has all', async () => {
    const key = await keys.issue('acme-corp');
    await keys.holderOf(newApiKey());
    const query = vi.spyOn(engine.clickhouse, 'query');
    expect(await statesOf([key, newApiKey(), newApiKey(), 'mb_short'])).toEqual([true, ...Array(3)]);
    expect(query).not.toHaveBeenCalled();
    query.mockRestore();
  });

  it('keeps no key anywhere, but its hash', async () => {
    const key = await keys.issue('acme-corp');
    const rows = await engine.rows('SELECT * FROM api_keys');
    const held = await redis.client.hgetall('meterbridge:{:api-keys}');
    expect(rows).toHaveLength(1);
    expect(JSON.stringify([rows, held])).not.toContain(key.slice(3));
  });

  it('takes one hash for another by no prefix', async () => {
    const key = await keys.issue('acme-corp');
    const [[index = '', row = ''] = []] = Object.entries(
      await redis.client.hgetall('meterbridge:{:api-keys}'),
    );
    await redis.client.hset('meterbridge:{:api-keys}', index, row.replace(/.(?=:acme-corp$)/, '_'));
    expect(await keys.holderOf(key)).toBeUndefined();
  });

  it('knows them from ClickHouse while Redis is away', async () => {
    const other = await openPrivateRedis();
    const { port = 0, password = '' } = other.client.options;
    const client = new Redis({ port, password, maxRetriesPerRequest: 0, retryStrategy: () => null });
    client.on('error', () => undefined);
    const lasting = await StoredApiKeys.open(client, engine.clickhouse);
    const [key, revoked] = [await lasting.issue('acme-corp'), await lasting.issue('beta-inc')];
    await lasting.revoke('beta-inc');
    const ended = once(client, 'end');
    other.client.shutdown('NOSAVE').catch(() => undefined);
    await ended;
    expect(await statesOf([key, revoked, newApiKey()], lasting)).toEqual([true, undefined, undefined]);
    await other.close();
  });
});
