import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { deleteUsage } from '../../src/metering/delete-usage.js';
import { readUsage } from '../../src/metering/usage.js';
import { countsOf, type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
beforeEach(async () => {
  for (const table of ['usage_events', 'usage_hourly', 'usage_daily'])
    await engine.command(`TRUNCATE TABLE ${table}`);
  const times = ['2025-10-31T23:59:59.999Z', '2025-11-01T00:00:00.000Z', '2025-11-15T11:59:59.999Z'];
  const events = times.map((time) => eventOf({ timestamp: new Date(time), bytes: 5 }));
  await storeBatch(engine.clickhouse, [...events, eventOf({ tenantId: 'beta-inc' })]);
});

const between = (startDate: string, endDate: string, tenantId = 'acme-corp') =>
  readUsage(engine.clickhouse, { tenantId, startDate, endDate });

describe('readUsage()', () => {
  it('has a row for each day with usage, and totals', async () => {
    const day = { queries: 1, tokens_input: 100, tokens_output: 10, bytes: 5, cost_usd: '0.00142000' };
    expect(await between('2025-11-01', '2025-11-30')).toEqual({
      tenant_id: 'acme-corp',
      start_date: '2025-11-01',
      end_date: '2025-11-30',
      days: [
        { date: '2025-11-01', ...day },
        { date: '2025-11-15', ...day },
      ],
      totals: { queries: 2, tokens_input: 200, tokens_output: 20, bytes: 10, cost_usd: '0.00284000' },
    });
  });

  it('adds up a day’s batches, types and models', async () => {
    for (const some of [{}, { model: 'gpt-4o-mini' }, { type: 'embedding' }] as const) {
      await storeBatch(engine.clickhouse, [eventOf(some)]);
    }
    const { days } = await between('2025-11-15', '2025-11-15');
    expect(days).toEqual([
      {
        date: '2025-11-15',
        queries: 3,
        tokens_input: 400,
        tokens_output: 40,
        bytes: 5,
        cost_usd: '0.00428520',
      },
    ]);
  });

  it.each([
    ['2025-10-31', '2025-10-31', 1],
    ['2025-10-31', '2025-11-01', 2],
    ['2025-11-02', '2025-11-14', 0],
    ['2000-01-01', '2199-12-31', 3],
  ])('includes both ends of %s to %s', async (start, end, queries) => {
    expect((await between(start, end)).totals.queries).toBe(queries);
  });

  it('is empty for a tenant that nobody knows', async () => {
    expect(await between('2025-11-01', '2025-11-30', 'nobody')).toMatchObject({
      days: [],
      totals: { queries: 0, tokens_input: 0, tokens_output: 0, bytes: 0, cost_usd: '0.00000000' },
    });
  });

  it('refuses an end before the start', async () => {
    await expect(between('2025-11-02', '2025-11-01')).rejects.toThrow(
      'Cannot read usage: the end 2025-11-01 lies before the start 2025-11-02',
    );
  });

  it.each(['2025-02-30', 'today', '', "2025-11-01' OR 1=1"])(
    'refuses the day %j at either end',
    async (day) => {
      await expect(between(day, '2025-11-30')).rejects.toThrow(RangeError);
      await expect(between('2025-11-01', day)).rejects.toThrow(RangeError);
    },
  );

  it.each(["' OR 1=1 --", '{x:String}', ''])('refuses the tenant id %j', async (tenantId) => {
    await expect(between('2025-11-01', '2025-11-30', tenantId)).rejects.toThrow(InvalidInputError);
  });
});

describe('deleteUsage()', () => {
  it('takes one tenant out of all three tables, and leaves the others', async () => {
    await deleteUsage(engine.clickhouse, { tenantId: 'acme-corp' });
    expect(await countsOf(engine)).toEqual({
      events: '1 0.00142000',
      hourly: '1 0.00142000',
      daily: '1 0.00142000',
    });
    expect(await engine.rows('SELECT DISTINCT tenant_id FROM usage_events')).toEqual([
      { tenant_id: 'beta-inc' },
    ]);
  });

  it('refuses a hostile tenant id, and deletes nothing', async () => {
    await expect(deleteUsage(engine.clickhouse, { tenantId: "' OR '1'='1" })).rejects.toThrow(
      InvalidInputError,
    );
    expect((await countsOf(engine)).events).toBe('4 0.00568000');
  });
});
