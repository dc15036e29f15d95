import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compareRollups } from '../../src/metering/compare-rollups.js';
import { encodeBatch } from '../../src/metering/encode-batch.js';
import { insertBatch } from '../../src/metering/insert-batch.js';
import { rebuildRollups } from '../../src/metering/rebuild-rollups.js';
import { parseMonth } from '../../src/period.js';
import { countsOf } from '../support/embedded.js';
import { eventOf, idOf, storeBatch } from '../support/events.js';
import { type Engine, emptyUsage, TRANSPORTS } from '../support/fronted.js';

const month = parseMonth('2025-11');
const eventAt = (time: string, id: number, tenantId = 'acme-corp') =>
  eventOf({ tenantId, eventId: idOf(id), timestamp: new Date(time) });

describe.each(TRANSPORTS)('rollups over %s', (_name, open) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.close());
  beforeEach(async () => {
    await emptyUsage(engine);
    const events = [
      eventAt('2025-10-31T23:59:59.999Z', 1),
      eventAt('2025-11-01T00:00:00.000Z', 2),
      eventAt('2025-11-10T10:30:00.000Z', 3),
      eventAt('2025-11-10T11:30:00.000Z', 4),
    ];
    await storeBatch(engine.clickhouse, [...events, eventAt('2025-11-10T10:30:00.000Z', 5, 'beta-inc')]);
  });
  const store = (...events: ReturnType<typeof eventOf>[]) => storeBatch(engine.clickhouse, events);
  const compare = () => compareRollups(engine.clickhouse, { month });
  const repair = async () => rebuildRollups(engine.clickhouse, { month, differences: await compare() });
  const words = async () =>
    (await compare()).map(
      ({ table, tenantId, day, queries, cost }) =>
        `${table} ${tenantId} ${day} ${queries.events}/${queries.rollup} ${cost.events}/${cost.rollup}`,
    );
  const ofTenant = (tenantId: string) => countsOf(engine, `tenant_id = '${tenantId}'`);
  const everywhere = (counts: string) => ({ events: counts, hourly: counts, daily: counts });

  describe('compareRollups()', () => {
    it('finds nothing where all agree, retried batches included', async () => {
      const batch = await encodeBatch(randomUUID(), [eventAt('2025-11-12', 9)]);
      for (let time = 1; time <= 3; time += 1) await insertBatch(engine.clickhouse, batch);
      expect(await compare()).toEqual([]);
    });

    it('finds nothing in a month of nothing', async () => {
      expect(await compareRollups(engine.clickhouse, { month: parseMonth('2025-02') })).toEqual([]);
    });

    it('finds what a caller sent twice, by tenant and day, in both rollups', async () => {
      await store(eventAt('2025-11-10T10:30:00.000Z', 3));
      expect(await compare()).toEqual(
        ['usage_hourly', 'usage_daily'].map((table) => ({
          table,
          tenantId: 'acme-corp',
          day: '2025-11-10',
          queries: { events: 2, rollup: 3 },
          cost: { events: '0.00284000', rollup: '0.00426000' },
        })),
      );
    });

    it('finds a copy with another time, on the day of that time', async () => {
      await store({ ...eventAt('2025-11-14', 3), created_at: Date.UTC(2025, 10, 16) });
      expect(await words()).toEqual([
        'usage_hourly acme-corp 2025-11-14 0/1 0.00000000/0.00142000',
        'usage_daily acme-corp 2025-11-14 0/1 0.00000000/0.00142000',
      ]);
    });

    it('finds a copy of an event of the month before', async () => {
      await store({ ...eventAt('2025-11-14', 1), created_at: Date.UTC(2025, 10, 16) });
      expect((await words())[0]).toBe('usage_hourly acme-corp 2025-11-14 0/1 0.00000000/0.00142000');
    });

    it('finds a copy of an event of months ago that came too late for its own', async () => {
      await store({ ...eventAt('2025-03-10', 7), created_at: Date.UTC(2025, 2, 10) });
      await store({ ...eventAt('2025-11-12', 7), created_at: Date.UTC(2026, 0, 10) });
      expect(await words()).toEqual([
        'usage_hourly acme-corp 2025-11-12 0/1 0.00000000/0.00142000',
        'usage_daily acme-corp 2025-11-12 0/1 0.00000000/0.00142000',
      ]);
      await repair();
      expect(await compare()).toEqual([]);
    });

    it.each(['tokens_input', 'tokens_output', 'bytes', 'queries', 'events', 'cost_usd'])(
      'finds a day on which only the %s differ',
      async (column) => {
        await engine.command(
          `INSERT INTO usage_daily (tenant_id, day, event_type, model, ${column})
           VALUES ('acme-corp', '2025-11-10', 'query', 'gpt-4o', 1)`,
        );
        expect((await compare()).map(({ table, day }) => [table, day])).toEqual([
          ['usage_daily', '2025-11-10'],
        ]);
      },
    );

    it('finds a day that one rollup lacks', async () => {
      await engine.command(
        `ALTER TABLE usage_daily DELETE WHERE tenant_id = 'beta-inc' SETTINGS mutations_sync = 1`,
      );
      expect(await words()).toEqual(['usage_daily beta-inc 2025-11-10 1/0 0.00142000/0.00000000']);
    });

    it('finds events that are gone while the rollups still have them', async () => {
      await engine.command(
        `ALTER TABLE usage_events DELETE WHERE tenant_id = 'beta-inc' SETTINGS mutations_sync = 1`,
      );
      expect(await words()).toEqual([
        'usage_hourly beta-inc 2025-11-10 0/1 0.00000000/0.00142000',
        'usage_daily beta-inc 2025-11-10 0/1 0.00000000/0.00142000',
      ]);
    });

    it('finds a copy of an event that counts no query and costs nothing', async () => {
      const nothing = eventOf({
        eventId: idOf(9),
        queries: 0,
        tokensInput: 0,
        tokensOutput: 0,
        type: 'embedding',
      });
      await store(nothing);
      await store(nothing);
      expect((await compare()).map(({ day }) => day)).toEqual(['2025-11-15', '2025-11-15']);
    });
  });

  describe('rebuildRollups()', () => {
    it('makes them agree, and the next comparison empty', async () => {
      await store(eventAt('2025-11-10T10:30:00.000Z', 3), eventAt('2025-11-01T00:00:00.000Z', 2));
      await store(eventAt('2025-11-10T11:30:00.000Z', 4));
      await repair();
      expect(await compare()).toEqual([]);
      expect(await ofTenant('acme-corp')).toEqual(everywhere('4 0.00568000'));
    });

    it('brings a lost day back', async () => {
      await engine.command('TRUNCATE TABLE usage_daily');
      await repair();
      expect(await ofTenant('beta-inc')).toEqual(everywhere('1 0.00142000'));
      expect(await compare()).toEqual([]);
    });

    it('repairs the same day again, though the same rows were stored before', async () => {
      for (let time = 1; time <= 2; time += 1) {
        await store(eventAt('2025-11-10T10:30:00.000Z', 3));
        await repair();
        expect(await ofTenant('acme-corp')).toEqual(everywhere('4 0.00568000'));
      }
    });

    it('repairs the same day again also where the server knows equal rows again by themselves', async () => {
      await engine.command("SET deduplicate_insert_select = 'force_enable'");
      for (let time = 1; time <= 2; time += 1) {
        await store(eventAt('2025-11-10T10:30:00.000Z', 3));
        await repair();
        expect(await ofTenant('acme-corp')).toEqual(everywhere('4 0.00568000'));
      }
      await engine.command('SET deduplicate_insert_select = DEFAULT');
    });

    it('leaves other tenants, days and months as they are', async () => {
      await store(eventAt('2025-11-10T10:30:00.000Z', 3));
      await engine.command(
        `INSERT INTO usage_daily (tenant_id, day, queries) VALUES
          ('acme-corp', '2025-11-01', 100), ('acme-corp', '2025-10-31', 100), ('beta-inc', '2025-11-10', 100)`,
      );
      const differences = (await compare()).filter(
        ({ tenantId, day }) => tenantId === 'acme-corp' && day === '2025-11-10',
      );
      await rebuildRollups(engine.clickhouse, { month, differences });
      expect(
        await engine.rows(
          'SELECT toString(day) AS day, tenant_id AS tenant, sum(queries) AS n FROM usage_daily GROUP BY ALL ORDER BY ALL',
        ),
      ).toEqual([
        { day: '2025-10-31', tenant: 'acme-corp', n: 101 },
        { day: '2025-11-01', tenant: 'acme-corp', n: 101 },
        { day: '2025-11-10', tenant: 'acme-corp', n: 2 },
        { day: '2025-11-10', tenant: 'beta-inc', n: 101 },
      ]);
    });

    it('does nothing for no difference', async () => {
      await rebuildRollups(engine.clickhouse, { month, differences: [] });
      expect(await ofTenant('acme-corp')).toEqual(everywhere('4 0.00568000'));
    });
  });
});
