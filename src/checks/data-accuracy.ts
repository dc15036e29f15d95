/** Check 1 of M12.1 → M12.2: every tenant that pays has usage records. */
import type { ClickHouseClient } from '@clickhouse/client';
import { EVENTS_TABLE } from '../metering/tables.js';
import { isBilled, tenantsAt } from '../metering/tenants.js';
import { formatCents, parseUsd, toCents } from '../money.js';
import { DAY_MS } from '../period.js';
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';

/** Days in which every active tenant must have used something. */
const DAYS = 30;

/** Tenants that the evidence shows one by one. */
const SHOWN = 3;

/**
 * Check 1 of M12.1 → M12.2: every tenant that pays has usage in the last 30 days.
 *
 * @param now the end of the 30 days
 * @example const result = await checkDataAccuracy(services.clickhouse, { now: SAMPLE_NOW });
 */
export function checkDataAccuracy(
  clickhouse: Service<ClickHouseClient>,
  { now }: { now: Date },
): Promise<CheckResult> {
  return runCheck(clickhouse, {
    id: 'data-accuracy',
    title: 'ClickHouse data accuracy',
    expected: ['tenant_123 | 1,450 events | $127.35', 'tenant_456 | 892 events | $76.20'],
    advice:
      'Mend M12.1 before going on: find out why these tenants have no events (tracker, fallback file, replay); a bill without usage costs 3+ hours of debugging',
    test: async (client) => {
      const paying = (await tenantsAt(client, now)).filter((tenant) => isBilled(tenant, now));
      const usage = await usageByTenant(client, now);
      const silent = paying.filter(({ tenantId }) => !usage.has(tenantId)).map(({ tenantId }) => tenantId);
      const problems =
        paying.length === 0
          ? ['no tenant is active']
          : silent.map((tenant) => `${tenant} is active and has no usage in the last ${DAYS} days`);
      const lines = paying.slice(0, SHOWN).map(({ tenantId }) => `${tenantId} | ${usage.get(tenantId)}`);
      return {
        problems,
        evidence: [
          `${paying.length - silent.length} of ${paying.length} active tenants have usage in the last ${DAYS} days`,
          ...lines,
        ],
      };
    },
  });
}

/** Tenant → `28,450 events | $47.23`. */
async function usageByTenant(clickhouse: ClickHouseClient, now: Date): Promise<Map<string, string>> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, count() AS events, toString(sum(cost_usd)) AS cost_usd
      FROM ${EVENTS_TABLE} FINAL
      WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
      GROUP BY tenant_id`,
    query_params: { start: now.getTime() - DAYS * DAY_MS, end: now.getTime() },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ tenant_id: string; events: number; cost_usd: string }>();
  return new Map(
    rows.map(({ tenant_id, events, cost_usd }) => [
      tenant_id,
      `${events.toLocaleString('en-US')} events | $${formatCents(toCents(parseUsd(cost_usd)))}`,
    ]),
  );
}
