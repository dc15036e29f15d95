import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDashboard, tablesRead } from '../../src/dashboard/load-dashboard.js';
import { PANELS, type Panel } from '../../src/dashboard/panels.js';
import { InvalidInputError } from '../../src/errors.js';
import { loadSampleMonth } from '../../src/metering/sample-month.js';
import { PLANS } from '../../src/plans.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
  await loadSampleMonth(engine.clickhouse, { events: 105_000 });
  await engine.command('CREATE VIEW raw_view AS SELECT * FROM usage_events');
});
afterAll(() => engine.close());

const request = {
  tenantId: 'acme-corp',
  now: new Date('2025-11-30T23:59:59.999Z'),
  limits: PLANS.starter.dailyLimits,
};
const panelOf = (sql: string): Panel => ({ id: 'x', title: 'X', kind: 'bars', unit: '', sql });
const rowsOf = async (id: string, some: Partial<typeof request> = {}) => {
  const panels = PANELS.filter((panel) => panel.id === id);
  return (await loadDashboard(engine.clickhouse, { ...request, ...some, panels }))[0]?.rows ?? [];
};

describe('loadDashboard()', () => {
  it('has the course’s panels', async () => {
    const loaded = await loadDashboard(engine.clickhouse, request);
    expect(loaded.map(({ panel, rows }) => [panel.id, rows.length])).toEqual([
      ['queries-per-hour', 24],
      ['tokens-by-type', 60],
      ['cost-today', 24],
      ['quota-used', 1],
      ['cost-per-day', 30],
    ]);
    expect(PANELS.find(({ id }) => id === 'quota-used')?.thresholds).toEqual({ warning: 80, alarm: 95 });
  });

  it.each([
    [
      'queries-per-hour',
      `toString(toStartOfHour(timestamp, 'UTC')) AS at, 'queries' AS series, sum(queries) AS value`,
      `timestamp >= '2025-11-30 00:00:00'`,
    ],
    [
      'cost-per-day',
      `toString(toDate(timestamp, 'UTC')) AS at, 'cost' AS series, toString(sum(cost_usd)) AS value`,
      '1',
    ],
  ])('%s equals the raw events', async (id, columns, where) => {
    const raw = await engine.rows(
      `SELECT ${columns} FROM usage_events WHERE tenant_id = 'acme-corp' AND ${where} GROUP BY at ORDER BY at`,
    );
    expect(await rowsOf(id)).toEqual(raw);
  });

  it('tokens-by-type equals the raw events', async () => {
    const raw = await engine.rows(`
      SELECT toString(toDate(timestamp, 'UTC')) AS at, part.1 AS series, part.2 AS value
      FROM (SELECT timestamp, [('input', tokens_input), ('output', tokens_output)] AS parts
            FROM usage_events WHERE tenant_id = 'acme-corp') ARRAY JOIN parts AS part`);
    const sums = new Map<string, number>();
    for (const { at, series, value } of raw as { at: string; series: string; value: number }[])
      sums.set(`${at} ${series}`, (sums.get(`${at} ${series}`) ?? 0) + value);
    const rows = await rowsOf('tokens-by-type');
    expect(new Map(rows.map(({ at, series, value }) => [`${at} ${series}`, value]))).toEqual(sums);
  });

  it('cost-today ends at the day’s cost', async () => {
    const [day] = await engine.rows<{ cost: string }>(
      `SELECT toString(sum(cost_usd)) AS cost FROM usage_events WHERE tenant_id = 'acme-corp' AND timestamp >= '2025-11-30 00:00:00'`,
    );
    expect((await rowsOf('cost-today')).at(-1)).toEqual({
      at: '2025-11-30 23:00:00',
      series: 'cost',
      value: day?.cost,
    });
  });

  it('quota-used is the share of the day’s limit, above 100 too', async () => {
    const tenantId = 'foxtrot-io';
    expect(await rowsOf('quota-used', { tenantId })).toEqual([
      { at: '2025-11-30', series: 'used', value: 120 },
    ]);
  });

  it('shows a tenant without usage nothing, and 0 %', async () => {
    const loaded = await loadDashboard(engine.clickhouse, { ...request, tenantId: 'echo-trial' });
    expect(loaded.map(({ rows }) => rows)).toEqual([
      [],
      [],
      [],
      [{ at: '2025-11-30', series: 'used', value: 0 }],
      [],
    ]);
  });

  it('shows nothing of another tenant or of another day', async () => {
    await storeBatch(engine.clickhouse, [eventOf({ tenantId: 'newcomer' })]);
    const now = new Date('2025-11-14T23:59:59.999Z');
    const loaded = await loadDashboard(engine.clickhouse, { ...request, tenantId: 'newcomer', now });
    expect(loaded.map(({ rows }) => rows.length)).toEqual([0, 0, 0, 1, 0]);
  });

  it.each(["' OR 1=1 --", '{now:Int64}', ''])('refuses the tenant id %j', async (tenantId) => {
    await expect(loadDashboard(engine.clickhouse, { ...request, tenantId })).rejects.toThrow(
      InvalidInputError,
    );
  });
});

describe('tablesRead()', () => {
  const read = (panel: Panel) => tablesRead(engine.clickhouse, panel, request);

  it.each(PANELS.map((panel) => [panel.id, panel] as const))(
    'finds a rollup alone in %s',
    async (_, panel) => {
      expect(['usage_daily', 'usage_hourly']).toContain((await read(panel)).join());
    },
  );

  it.each([
    ['plainly', 'SELECT count() FROM usage_events', ['usage_events']],
    ['under a database', 'SELECT count() FROM default.`usage_events`', ['usage_events']],
    ['in a subquery', 'SELECT count() FROM (SELECT * FROM (SELECT * FROM usage_events))', ['usage_events']],
    ['under an alias', 'SELECT count() FROM usage_events AS usage_hourly', ['usage_events']],
    [
      'in a CTE',
      'WITH usage_daily AS (SELECT * FROM usage_events) SELECT count() FROM usage_daily',
      ['usage_events'],
    ],
    [
      'beside a rollup',
      'SELECT count() FROM usage_hourly AS h JOIN usage_events AS e USING tenant_id',
      ['usage_events', 'usage_hourly'],
    ],
    [
      'in a condition',
      'SELECT count() FROM usage_hourly WHERE tenant_id IN (SELECT tenant_id FROM usage_events)',
      ['usage_events', 'usage_hourly'],
    ],
    ['as a view', 'SELECT count() FROM raw_view', ['raw_view']],
    ['through a table function', "SELECT count() FROM merge(currentDatabase(), '^usage_events$')", ['merge']],
  ])('finds raw events that are read %s', async (_, sql, tables) => {
    expect(await read(panelOf(sql))).toEqual(tables);
  });

  it('finds raw events in a scalar', async () => {
    const sql = 'SELECT (SELECT max(timestamp) FROM usage_events) AS at FROM usage_hourly';
    expect(await read(panelOf(sql))).toContain('usage_events');
  });
});
