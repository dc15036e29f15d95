import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeBatch } from '../../src/metering/encode-batch.js';
import { insertBatch } from '../../src/metering/insert-batch.js';
import { inProcessQuotaGate } from '../../src/quotas/in-process-quota-gate.js';
import type { QuotaGate, UsedToday } from '../../src/quotas/quota-gate.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import { steadyQuotaGate } from '../../src/quotas/steady-quota-gate.js';
import { usedTodayFrom } from '../../src/quotas/used-today.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf } from '../support/events.js';
import { noon, requestOf } from '../support/quota-request.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
beforeEach(async () => {
  for (const table of ['usage_events', 'usage_daily', 'usage_hourly'])
    await engine.command(`TRUNCATE TABLE ${table}`);
  await engine.redis.del(['meterbridge:quota:{acme-corp}:2025-11-15']);
});

const store = async (times: number, queries = 1) => {
  const events = Array.from({ length: times }, () => eventOf({ queries }, noon));
  await insertBatch(engine.clickhouse, await encodeBatch(randomUUID(), events));
};
const passes = async (gate: QuotaGate, times: number) => {
  const decisions = await Promise.all(Array.from({ length: times }, () => gate.reserve(requestOf({}))));
  return decisions.filter(({ allowed }) => allowed).length;
};
const usedToday = () => usedTodayFrom(engine.clickhouse);

describe.each([
  ['redisQuotaGate()', () => redisQuotaGate(engine.redis, { usedToday: usedToday() })],
  ['inProcessQuotaGate()', () => inProcessQuotaGate({ usedToday: usedToday() })],
] as const)('%s with ClickHouse behind it', (_, makeGate) => {
  it('begins where the stored events of the day stand', async () => {
    await store(7);
    expect(await passes(makeGate(), 20)).toBe(3);
  });

  it('counts stored tokens too', async () => {
    await store(9);
    const { windows } = await makeGate().reserve(requestOf({ queries: 0 }));
    expect(windows.map(({ used }) => used)).toEqual([9, 990]);
  });

  it('counts a failed query, which passed the gate', async () => {
    await store(4, 0);
    expect(await passes(makeGate(), 20)).toBe(6);
  });

  it('begins at nothing on a day without events', async () => {
    await store(7);
    const tomorrow = new Date('2025-11-16T00:00:00Z');
    const { windows } = await makeGate().reserve(requestOf({ now: tomorrow }));
    expect(windows[0]?.used).toBe(1);
  });

  it('asks once, and then counts by itself', async () => {
    let asked = 0;
    const counting = async () => {
      asked += 1;
      return { queries: 5, tokens: 0 };
    };
    const gate = _.startsWith('redis')
      ? redisQuotaGate(engine.redis, { usedToday: counting })
      : inProcessQuotaGate({ usedToday: counting });
    for (let time = 1; time <= 3; time += 1) await gate.reserve(requestOf({}));
    expect(asked).toBe(1);
  });
});

describe('usedTodayFrom()', () => {
  it('asks again when a connection is cut, which is no outage', async () => {
    let cuts = 0;
    const server = createServer((request, response) => {
      if (cuts === 0) request.socket.destroy();
      else response.end('{"queries":7,"tokens":770}\n');
      cuts += 1;
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = createClient({ url: `http://127.0.0.1:${port}`, log: { level: ClickHouseLogLevel.OFF } });
    expect(await usedTodayFrom(client)('acme-corp', noon)).toEqual({ queries: 7, tokens: 770 });
    await client.close();
    server.close();
  });
});

describe('usedTodayFrom(), asked by many at once', () => {
  it('asks ClickHouse once for each tenant and day, and anew when they are answered', async () => {
    await store(7);
    let asked = 0;
    const counting: ClickHouseClient = Object.assign(Object.create(engine.clickhouse), {
      query: (given: { query: string; format: 'JSONEachRow' }) => {
        asked += 1;
        return engine.clickhouse.query(given);
      },
    });
    const used = usedTodayFrom(counting);
    const tomorrow = new Date('2025-11-16T00:00:00Z');
    const none = { queries: 0, tokens: 0 };
    const seven = { queries: 7, tokens: 770 };
    const ask = () =>
      Promise.all([
        used('acme-corp', noon),
        used('acme-corp', noon),
        used('beta-inc', noon),
        used('acme-corp', tomorrow),
      ]);
    expect([await ask(), asked]).toEqual([[seven, seven, none, none], 3]);
    await store(1);
    expect([(await ask())[0]?.queries, asked]).toEqual([8, 6]);
  });
});

describe('the gate while ClickHouse is away', () => {
  it('begins a count that is not there at 0, and keeps those in Redis', async () => {
    const away = createClient({ url: 'http://127.0.0.1:1', request_timeout: 1_000 });
    const gateWith = (usedToday: UsedToday) =>
      steadyQuotaGate(redisQuotaGate(engine.redis, { usedToday }), { usedToday });
    expect(await passes(gateWith(usedToday()), 4)).toBe(4);
    const gate = gateWith(usedTodayFrom(away));
    const other = await gate.reserve(requestOf({ tenantId: 'beta-inc' }));
    expect(other.windows[0]?.used).toBe(1);
    expect(await passes(gate, 20)).toBe(6);
    expect(gate.mode).toBe('redis');
    await away.close();
    await engine.redis.del(['meterbridge:quota:{beta-inc}:2025-11-15']);
  });
});

describe('redisQuotaGate(), wiped in the middle of a burst', () => {
  const limits: [number, number] = [100, 1_000_000];
  const burst = async (gate: QuotaGate, times: number) => {
    const asked = Array.from({ length: times }, () => gate.reserve(requestOf({ limits })));
    return (await Promise.all(asked)).filter(({ allowed }) => allowed).length;
  };

  it('lets exactly the quota through when all that passed is stored', async () => {
    const gate = redisQuotaGate(engine.redis, { usedToday: usedToday() });
    const before = await burst(gate, 60);
    await store(before);
    await gate.forget({ tenantId: 'acme-corp', now: noon });
    expect(before + (await burst(gate, 200))).toBe(100);
  });

  it('lets at most the quota and what is not yet stored through', async () => {
    const gate = redisQuotaGate(engine.redis, { usedToday: usedToday() });
    const before = await burst(gate, 60);
    const notStored = 20;
    await store(before - notStored);
    await gate.forget({ tenantId: 'acme-corp', now: noon });
    expect(before + (await burst(gate, 200))).toBe(100 + notStored);
  });
});
