import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTables } from '../../src/metering/tables.js';
import { countsOf, type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

describe('createTables()', () => {
  it('changes nothing when it runs again', async () => {
    await storeBatch(engine.clickhouse, [eventOf()]);
    await createTables(engine.clickhouse);
    expect(await countsOf(engine)).toEqual({
      events: '1 0.00142000',
      hourly: '1 0.00142000',
      daily: '1 0.00142000',
    });
  });

  it('keeps events by month, in the order of tenant, time and id', async () => {
    const [table] = await engine.rows(
      `SELECT engine, partition_key, sorting_key FROM system.tables WHERE name = 'usage_events'`,
    );
    expect(table).toEqual({
      engine: 'ReplacingMergeTree',
      partition_key: 'toYYYYMM(timestamp)',
      sorting_key: 'tenant_id, timestamp, event_id',
    });
  });

  it('keeps events for ever unless it is told otherwise', async () => {
    const [table] = await engine.rows<{ sql: string }>(
      `SELECT create_table_query AS sql FROM system.tables WHERE name = 'usage_events'`,
    );
    expect(table?.sql).not.toContain('TTL');
  });

  it('puts the months of retention into the table', async () => {
    await engine.command('CREATE DATABASE kept');
    await engine.command('USE kept');
    await createTables(engine.clickhouse, { retentionMonths: 36 });
    await engine.command('USE default');
    const [table] = await engine.rows<{ sql: string }>(
      `SELECT create_table_query AS sql FROM system.tables WHERE name = 'usage_events' AND database = 'kept'`,
    );
    expect(table?.sql).toContain('TTL toDateTime(timestamp) + toIntervalMonth(36)');
  });

  it.each([0, -1, 1.5, NaN, Infinity, '3; DROP TABLE usage_events'])(
    'refuses retentionMonths %s',
    async (months) => {
      const options = { retentionMonths: months as number };
      await expect(createTables(engine.clickhouse, options)).rejects.toThrow(
        `Cannot create tables: retentionMonths must be a whole number above 0, current value is ${months}`,
      );
    },
  );
});
