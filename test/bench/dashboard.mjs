// The largest tenant's dashboard at ten million events: time, rows read, rollup against raw.
import { loadDashboard, PANELS, PLANS } from 'meterbridge';
import { rowsOf, withEngine } from './engine.mjs';
import { median, pairs, seconds } from './pairs.mjs';

export const names = ['dashboard.largest_ms', 'dashboard.rows_read_ratio', 'dashboard.rollup_vs_raw'];

const EVENTS = 10_000_000;
const PORTION = 1_000_000;
const DAYS = 91;
const now = new Date('2025-11-30T23:59:59.999Z');
const request = { tenantId: 'tenant-0000', now, limits: PLANS.enterprise.dailyLimits };

export async function run(report) {
  await withEngine(async ({ clickhouse }) => {
    for (let start = 0; start < EVENTS; start += PORTION) {
      await clickhouse.command({
        query: `
          INSERT INTO usage_events
          WITH
            intDiv(number * ${DAYS} * 86400000, ${EVENTS}) AS ms,
            fromUnixTimestamp64Milli(toInt64(toUnixTimestamp64Milli(toDateTime64('2025-09-01 00:00:00', 3, 'UTC')) + ms), 'UTC') AS happened
          SELECT
            concat('tenant-', leftPad(toString(toUInt32(1000 * pow(cityHash64(number) % 1000000 / 1e6, 3))), 4, '0')),
            reinterpretAsUUID(sipHash128(number)), 'query',
            happened,
            1, 170 + number % 50, 12 + number % 20, 0, if(number % 2, 'gpt-4o', 'gpt-4o-mini'), '/query', 0,
            toDecimal64(165400 + number % 1000, 8) / 100000000, '2025-01', happened
          FROM numbers(${start}, ${PORTION})`,
      });
    }
    const took = [];
    for (let round = 0; round < 6; round += 1)
      took.push(await seconds(() => loadDashboard(clickhouse, request)));
    report({
      name: 'dashboard.largest_ms',
      value: median(took.slice(1)) * 1_000,
      unit: 'ms',
      against: `${PANELS.length} panels, ${EVENTS} events`,
    });

    const monthly = PANELS.filter(({ sql }) => sql.includes('usage_daily'));
    const raw = monthly.map((panel) => ({ ...panel, sql: overRaw(panel.sql) }));
    await assertEqual(clickhouse, monthly, raw);
    const rows = async (panels) => {
      let sum = 0;
      for (const { sql } of panels) sum += await rowsRead(clickhouse, sql);
      return sum;
    };
    const [rawRows, rollupRows] = [await rows(raw), await rows(monthly)];
    report({
      name: 'dashboard.rows_read_ratio',
      value: rollupRows,
      unit: 'rows',
      against: 'rows of the 30-day panels over raw events',
      ratio: rawRows / rollupRows,
    });
    const { b, ratio } = await pairs(
      () => seconds(() => loadDashboard(clickhouse, { ...request, panels: raw })),
      () => seconds(() => loadDashboard(clickhouse, { ...request, panels: monthly })),
    );
    report({
      name: 'dashboard.rollup_vs_raw',
      value: b * 1_000,
      unit: 'ms',
      against: 'the 30-day panels over raw events, times faster',
      ratio,
    });
  });
}

/** The same panel over raw events. */
const overRaw = (sql) =>
  sql
    .replaceAll('FROM usage_daily', 'FROM usage_events')
    .replaceAll('day > toDate(', 'timestamp >= toDateTime64(toDate(')
    .replaceAll(') - 30', ") - 29, 3, 'UTC')")
    .replaceAll('day <= toDate(', 'timestamp <= (')
    .replaceAll('SELECT day,', "SELECT toDate(timestamp, 'UTC') AS day,")
    .replaceAll('toString(day)', "toString(toDate(timestamp, 'UTC') AS day)")
    .replace(
      "toString(toDate(timestamp, 'UTC') AS day) AS at,\n        part.1",
      'toString(day) AS at,\n        part.1',
    );

async function assertEqual(clickhouse, panels, raw) {
  const [left, right] = [
    await loadDashboard(clickhouse, { ...request, panels }),
    await loadDashboard(clickhouse, { ...request, panels: raw }),
  ];
  for (const [index, { panel, rows }] of left.entries()) {
    if (JSON.stringify(rows) !== JSON.stringify(right[index].rows))
      throw new Error(`panel ${panel.id} differs over raw events`);
  }
}

async function rowsRead(clickhouse, sql) {
  const parameters = {
    tenantId: request.tenantId,
    now: now.getTime(),
    queriesPerDay: request.limits.queries,
  };
  const plan = await rowsOf(clickhouse, `EXPLAIN ESTIMATE ${sql}`, parameters);
  return plan.reduce((sum, { rows }) => sum + Number(rows), 0);
}
