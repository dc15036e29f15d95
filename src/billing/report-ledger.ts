/**
 * What was reported to Stripe, day by day. A report is written down before it is sent and marked when
 * Stripe has taken it, so that a process that was killed in between knows what may be there.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import type { DailyUsage } from './daily-usage.js';

/** A day's total as it was, or may have been, sent. Its revision grows with each other total or customer. */
export interface UsageReport extends DailyUsage {
  /** Whose meter has it. */
  readonly customer_id: string;
  readonly revision: number;
  readonly acknowledged: boolean;
}

/* Of an intent and its acknowledgement the second one stays. */
const USAGE_REPORTS = `
  CREATE TABLE IF NOT EXISTS usage_reports
  (
    tenant_id    LowCardinality(String),
    day          Date,
    revision     UInt32,
    queries      UInt64,
    acknowledged UInt8  COMMENT '0: may be at Stripe, 1: is there'
  )
  ENGINE = ReplacingMergeTree(acknowledged)
  ORDER BY (tenant_id, day, revision)`;

/* What was written down before customers were is nobody's, and is sent once more. */
const CUSTOMER_ID = `
  ALTER TABLE usage_reports
  ADD COLUMN IF NOT EXISTS customer_id String COMMENT 'at Stripe'`;

/**
 * Opens what was reported to Stripe, and makes its table where it is missing.
 *
 * @example const ledger = await openReportLedger(clickhouse);
 */
export async function openReportLedger(clickhouse: ClickHouseClient): Promise<ReportLedger> {
  await clickhouse.command({ query: USAGE_REPORTS });
  await clickhouse.command({ query: CUSTOMER_ID });
  return new ReportLedger(clickhouse);
}

/**
 * Each day's total as it was written down before it was sent, and whether Stripe has taken it.
 *
 * @example const ledger = await openReportLedger(clickhouse);
 */
export class ReportLedger {
  readonly #clickhouse: ClickHouseClient;

  constructor(clickhouse: ClickHouseClient) {
    this.#clickhouse = clickhouse;
  }

  /** The newest report of each of some tenants' days; the key is `tenant:day`. */
  async newest(rows: readonly Pick<DailyUsage, 'tenant_id' | 'date'>[]): Promise<Map<string, UsageReport>> {
    const result = await this.#clickhouse.query({
      query: `
        SELECT
          tenant_id,
          customer_id,
          toString(day) AS date,
          revision,
          queries AS query_count,
          acknowledged = 1 AS acknowledged
        FROM usage_reports FINAL
        WHERE tenant_id IN {tenants:Array(String)} AND day IN {days:Array(Date)}
        ORDER BY revision`,
      query_params: {
        tenants: [...new Set(rows.map(({ tenant_id }) => tenant_id))],
        days: [...new Set(rows.map(({ date }) => date))],
      },
      format: 'JSONEachRow',
    });
    const reports = await result.json<UsageReport>();
    return new Map(reports.map((report) => [keyOf(report), report]));
  }

  /** When this returns, the reports are kept. */
  async keep(reports: readonly UsageReport[]): Promise<void> {
    if (reports.length === 0) return;
    const rows = reports.map(({ tenant_id, customer_id, date, revision, query_count, acknowledged }) =>
      JSON.stringify([tenant_id, customer_id, date, revision, query_count, acknowledged ? 1 : 0]),
    );
    await this.#clickhouse.command({
      query: `
        INSERT INTO usage_reports (tenant_id, customer_id, day, revision, queries, acknowledged)
        SETTINGS async_insert = 0
        FORMAT JSONCompactEachRow
        ${rows.join('\n')}`,
    });
  }
}

/** @example keyOf({ tenant_id: 'acme-corp', date: '2025-11-30' }) // 'acme-corp:2025-11-30' */
export const keyOf = ({ tenant_id, date }: Pick<DailyUsage, 'tenant_id' | 'date'>) => `${tenant_id}:${date}`;
