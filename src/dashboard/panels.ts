/**
 * The dashboard's panels, one list: what is asked, how it is drawn, where the marks are. Every
 * panel reads a rollup and never `usage_events`, so that its cost does not grow with the events.
 *
 * Each query has the parameters `tenantId`, `now` (epoch milliseconds) and `queriesPerDay`, and
 * answers rows of `at` (UTC), `series` and `value`.
 */

export interface Panel {
  readonly id: string;
  readonly title: string;
  readonly kind: 'bars' | 'line' | 'gauge';
  readonly unit: string;
  readonly sql: string;
  /** What the time axis of a line covers, as Grafana writes it; bars bring their own times. */
  readonly span?: '30d' | 'now/d';
  /** Values at which the drawing warns and alarms. */
  readonly thresholds?: { readonly warning: number; readonly alarm: number };
}

const NOW = "fromUnixTimestamp64Milli({now:Int64}, 'UTC')";

export const PANELS: readonly Panel[] = [
  {
    id: 'queries-per-hour',
    title: 'Queries per hour, last 24 hours',
    kind: 'bars',
    unit: 'queries',
    sql: `
      SELECT
        toString(hour) AS at,
        'queries' AS series,
        sum(queries) AS value
      FROM usage_hourly
      WHERE tenant_id = {tenantId:String}
        AND hour > ${NOW} - INTERVAL 24 HOUR
        AND hour <= ${NOW}
      GROUP BY hour
      ORDER BY hour`,
  },
  {
    id: 'tokens-by-type',
    title: 'Tokens by type, last 30 days',
    kind: 'bars',
    unit: 'tokens',
    sql: `
      SELECT
        toString(day) AS at,
        part.1 AS series,
        part.2 AS value
      FROM
      (
        SELECT day, [('input', sum(tokens_input)), ('output', sum(tokens_output))] AS parts
        FROM usage_daily
        WHERE tenant_id = {tenantId:String}
          AND day > toDate(${NOW}) - 30
          AND day <= toDate(${NOW})
        GROUP BY day
      )
      ARRAY JOIN parts AS part
      ORDER BY at, series`,
  },
  {
    id: 'cost-today',
    title: 'Cost today, running',
    kind: 'line',
    unit: '$',
    span: 'now/d',
    sql: `
      SELECT
        toString(hour) AS at,
        'cost' AS series,
        toString(sum(sum(cost_usd)) OVER (ORDER BY hour)) AS value
      FROM usage_hourly
      WHERE tenant_id = {tenantId:String}
        AND hour >= toStartOfDay(${NOW})
        AND hour <= ${NOW}
      GROUP BY hour
      ORDER BY hour`,
  },
  {
    id: 'quota-used',
    title: 'Quota used today',
    kind: 'gauge',
    unit: '%',
    thresholds: { warning: 80, alarm: 95 },
    sql: `
      SELECT
        toString(toDate(${NOW})) AS at,
        'used' AS series,
        round(100 * sum(queries) / {queriesPerDay:UInt64}, 1) AS value
      FROM usage_hourly
      WHERE tenant_id = {tenantId:String}
        AND hour >= toStartOfDay(${NOW})
        AND hour <= ${NOW}`,
  },
  {
    id: 'cost-per-day',
    title: 'Cost per day, last 30 days',
    kind: 'line',
    unit: '$',
    span: '30d',
    sql: `
      SELECT
        toString(day) AS at,
        'cost' AS series,
        toString(sum(cost_usd)) AS value
      FROM usage_daily
      WHERE tenant_id = {tenantId:String}
        AND day > toDate(${NOW}) - 30
        AND day <= toDate(${NOW})
      GROUP BY day
      ORDER BY day`,
  },
];
