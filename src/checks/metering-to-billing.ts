/** The bridge M12.1 → M12.2: is the metering ready to be billed from? */
import type { ClickHouseClient } from '@clickhouse/client';
import type { Service } from '../service.js';
import type { Report } from './check.js';
import { checkDashboardPerformance } from './dashboard-performance.js';
import { checkDataAccuracy } from './data-accuracy.js';
import { checkImmutableCost } from './immutable-cost.js';
import { checkQuotaEnforcement, type QuotaTrial } from './quota-enforcement.js';

/**
 * The four checks, one after the other.
 *
 * @param now the kit's clock: the 30 days and the month before it are checked
 * @example
 * const report = await withQuotaTrial(gate, (quotaTrial) =>
 *   checkMeteringToBilling({ clickhouse: services.clickhouse, quotaTrial, now }));
 */
export async function checkMeteringToBilling({
  clickhouse,
  quotaTrial,
  now,
}: {
  clickhouse: Service<ClickHouseClient>;
  quotaTrial: Service<QuotaTrial>;
  now: Date;
}): Promise<Report> {
  return {
    bridge: 'm12.1-m12.2',
    results: [
      await checkDataAccuracy(clickhouse, { now }),
      await checkImmutableCost(clickhouse, { now }),
      // Looked at a moment before, so that a check at midnight sees the day that ended.
      await checkDashboardPerformance(clickhouse, { now: new Date(now.getTime() - 1) }),
      await checkQuotaEnforcement(quotaTrial),
    ],
  };
}
