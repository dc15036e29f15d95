/** A panel's query for Grafana's ClickHouse plugin: Grafana's variables stand where our parameters were. */
import { PLANS } from '../plans.js';
import type { Panel } from './panels.js';

/**
 * A variable as Grafana writes it.
 *
 * @example variable('__to') // '${__to}'
 */
export const variable = (reference: string) => `\${${reference}}`;

/*
 * An address can set a variable to any text, and Grafana's quoting (`singlequote`, `sqlstring`) leaves the
 * backslash as it is, with which ClickHouse escapes a quote: `\' OR 1 --` gets out of the string. Percent
 * encoding leaves neither quotes nor backslashes, and in a tenant's id there is nothing to encode.
 */
const TENANT = `'${variable('tenant:percentencode')}'`;

/** End of the chosen time range in milliseconds. The plugin's own `$__toTime_ms` has the server's time zone. */
const NOW = `toInt64(${variable('__to')})`;

const plans = Object.values(PLANS);

/** The daily limit of the tenant's plan; a tenant without terms counts as starter, as in the service. */
const QUERIES_PER_DAY = `(
          SELECT transform(
            toString(argMax(plan, effective_from)),
            [${plans.map(({ name }) => `'${name}'`).join(', ')}],
            [${plans.map(({ dailyLimits }) => dailyLimits.queries).join(', ')}],
            ${PLANS.starter.dailyLimits.queries})
          FROM tenant_quotas FINAL
          WHERE tenant_id = ${TENANT}
            AND effective_from <= fromUnixTimestamp64Milli(${NOW}, 'UTC')
        )`;

const GRAFANA: Readonly<Record<string, string>> = {
  tenantId: TENANT,
  now: NOW,
  queriesPerDay: QUERIES_PER_DAY,
};

/**
 * The query as text for Grafana: `time`, `series` and `value`, in the order that the plugin needs to make a
 * line of each series. Numbers are floats here: Grafana only draws them.
 *
 * @throws RangeError for a parameter that Grafana has nothing for.
 * @example grafanaQuery(PANELS[0]).includes('{tenantId:String}') // false
 */
export function grafanaQuery({ id, sql }: Panel): string {
  const filled = sql.replace(/\{(\w+):\w+\}/g, (parameter, name: string) => {
    const replacement = GRAFANA[name];
    if (replacement) return replacement;
    throw new RangeError(`Cannot export panel ${id}: Grafana has nothing in place of ${parameter}`);
  });
  return `SELECT
  parseDateTimeBestEffort(at, 'UTC') AS time,
  series,
  toFloat64(value) AS value
FROM
(
  ${filled.trim().replaceAll(/^ {4}/gm, '')}
)
ORDER BY time, series`;
}

/** The tenants to choose from. */
export const TENANTS_QUERY = 'SELECT DISTINCT tenant_id FROM usage_daily ORDER BY tenant_id';
