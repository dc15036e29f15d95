import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { LifecycleStore } from '../../src/tenants/lifecycle-store.js';
import { type Fronted, openFronted } from '../support/fronted.js';
import { type LifecycleBench, lifecycleBench, TO } from '../support/lifecycle.js';
import { lifecycleWorker } from '../support/lifecycle-worker.js';
import { openPrivateRedis } from '../support/private-redis.js';

let redis: PrivateRedis;
let engine: Fronted;
let bench: LifecycleBench;
let store: LifecycleStore;
const said: string[] = [];
beforeAll(async () => {
  [redis, engine] = [await openPrivateRedis(), await openFronted()];
  store = new LifecycleStore(redis.client);
});
afterAll(async () => {
  await engine.close();
  await redis.close();
});
beforeEach(async () => {
  await redis.client.flushall();
  bench = await lifecycleBench({ redis: redis.client, clickhouse: engine.clickhouse });
  await engine.command('TRUNCATE TABLE lifecycle_log');
  said.length = 0;
  vi.spyOn(console, 'error').mockImplementation((line: string) => void said.push(line));
});
afterEach(() => vi.restoreAllMocks());

const tenantId = 'acme-corp';
const events = async () =>
  (await readLifecycleLog(engine.clickhouse, tenantId)).map(({ event }) => event as string);
/** ClickHouse does not take inserts until this many were tried. */
const awayFor = (inserts: number) => engine.front.faults.push(...Array(inserts).fill('500'));
const waiting = async () => (await store.waiting(1_000)).length;

describe('moveLifecycleLog()', () => {
  it('leaves the log in Redis while ClickHouse is away, says so, and loses nothing', async () => {
    awayFor(3);
    await bench.walk(tenantId, ...TO.active);
    expect(await waiting()).toBe(3);
    expect(said[0]).toMatch(/^The lifecycle log waits in Redis: .*fault on demand/);
    expect(await bench.lifecycle.moveLog()).toBe(3);
    expect([await waiting(), await events()]).toEqual([0, [...TO.active]]);
  });

  it('stores once what was stored by a mover that was killed before it let go of it', async () => {
    awayFor(3);
    await bench.walk(tenantId, ...TO.active);
    engine.front.faults.push('slow');
    const mover = await lifecycleWorker({ redis, url: engine.front.url }, { move: true });
    mover.go();
    await vi.waitFor(async () => expect(await events()).toHaveLength(3), { timeout: 30_000 });
    mover.child.kill('SIGKILL');
    await mover.ended();
    engine.front.release();
    expect(await waiting()).toBe(3);
    expect(await bench.lifecycle.moveLog()).toBe(3);
    expect([await waiting(), await events()]).toEqual([0, [...TO.active]]);
  });

  it.each(['500-after-storing', 'cut-after-storing'] as const)('stores once after a %s', async (fault) => {
    engine.front.faults.push(fault);
    await bench.walk(tenantId, ...TO.upgrading);
    expect([await waiting(), await events()]).toEqual([0, [...TO.upgrading]]);
  });

  it('stores once what several move at the same time', async () => {
    awayFor(4);
    await bench.walk(tenantId, ...TO.upgrading);
    await Promise.all(Array.from({ length: 8 }, () => bench.lifecycle.moveLog()));
    expect([await waiting(), await events()]).toEqual([0, [...TO.upgrading]]);
  });
});

describe('TenantLifecycle.rebuild()', () => {
  it('brings every tenant back after a wipe, once', async () => {
    await bench.walk(tenantId, ...TO.deleted);
    await bench.walk('beta-inc', ...TO.upgrading);
    await redis.client.flushall();
    expect(await bench.lifecycle.rebuild()).toBe(2);
    expect(await bench.lifecycle.rebuild()).toBe(0);
    expect(await bench.lifecycle.read(tenantId)).toMatchObject({
      state: 'deleted',
      from: 'active',
      version: 1_004,
    });
    bench.setClock('2025-11-16T00:00:00.000Z');
    expect(await bench.lifecycle.expireStale()).toMatchObject([{ tenantId: 'beta-inc', plan: 'starter' }]);
    expect((await bench.walk(tenantId, 'win_back', 'fail')).state).toBe('deleted');
  });

  it('happens by itself for a tenant that is asked for, so that nobody signs up twice', async () => {
    await bench.walk(tenantId, ...TO.active);
    await redis.client.flushall();
    await expect(bench.walk(tenantId, 'sign_up')).rejects.toMatchObject({ state: 'active' });
    await bench.walk(tenantId, 'suspend');
    expect(await events()).toEqual([...TO.active, 'suspend']);
  });

  it('refuses a signup while nobody can tell whether the tenant is known', async () => {
    await bench.walk(tenantId, ...TO.active);
    await redis.client.flushall();
    const read = vi.spyOn(engine.clickhouse, 'query').mockRejectedValue(new Error('away'));
    await expect(bench.walk(tenantId, 'sign_up')).rejects.toThrow('away');
    read.mockRestore();
  });

  it('brings back a tenant that a Redis of yesterday knows as it was', async () => {
    await bench.walk(tenantId, 'sign_up');
    const key = 'meterbridge:{:lifecycle}:tenant:acme-corp';
    const old = await redis.client.hgetall(key);
    await bench.walk(tenantId, 'pay', 'complete');
    await redis.client.del(key);
    await redis.client.hset(key, old);
    expect(await bench.lifecycle.rebuild()).toBe(1);
    expect(await bench.lifecycle.read(tenantId)).toMatchObject({ state: 'active', version: 1_003 });
  });

  it('takes what Redis still has in its log for newer than ClickHouse', async () => {
    await bench.walk(tenantId, 'sign_up');
    awayFor(2);
    await bench.walk(tenantId, 'pay', 'complete');
    await redis.client.del('meterbridge:{:lifecycle}:tenant:acme-corp');
    expect(await bench.lifecycle.read(tenantId)).toMatchObject({ state: 'active' });
  });

  it('loses what was made while ClickHouse was away, and lets no worker of then end what began since', async () => {
    await bench.walk(tenantId, ...TO.active);
    awayFor(1);
    const lost = await bench.walk(tenantId, 'upgrade');
    await redis.client.flushall();
    await bench.walk(tenantId, 'upgrade');
    const { version } = lost;
    const complete = bench.lifecycle.transition({ tenantId, event: 'complete', version, by: 'dead' });
    await expect(complete).rejects.toMatchObject({ state: 'upgrading', version: 1_004, changed: true });
  });
});
