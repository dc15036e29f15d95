/** What dunning did to whom, kept for good: a tenant is not told the same thing twice. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { DunningAction } from './ladder.js';

/** One thing done. */
export interface DunningRecord {
  readonly tenantId: string;
  /** Counts from 1 for each tenant: several things may be done at one instant. */
  readonly number: number;
  /** The unpaid invoice that it was done for. */
  readonly invoiceId: string;
  readonly action: DunningAction | 'reactivated';
  readonly at: Date;
}

const DUNNING_ACTIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS dunning_actions
  (
    tenant_id  LowCardinality(String),
    number     UInt32,
    invoice_id String,
    action     LowCardinality(String),
    at         DateTime64(3, 'UTC')
  )
  ENGINE = MergeTree
  ORDER BY (tenant_id, number)`;

export class DunningLedger {
  readonly #clickhouse: ClickHouseClient;

  private constructor(clickhouse: ClickHouseClient) {
    this.#clickhouse = clickhouse;
  }

  /** @example const ledger = await DunningLedger.open(clickhouse); */
  static async open(clickhouse: ClickHouseClient): Promise<DunningLedger> {
    await clickhouse.command({ query: DUNNING_ACTIONS_TABLE });
    return new DunningLedger(clickhouse);
  }

  /** All that was done to a tenant, oldest first. */
  async of(tenantId: string): Promise<DunningRecord[]> {
    const result = await this.#clickhouse.query({
      query: `
        SELECT number, invoice_id AS invoiceId, action, toUnixTimestamp64Milli(at) AS ms
        FROM dunning_actions
        WHERE tenant_id = {tenantId:String}
        ORDER BY number`,
      query_params: { tenantId },
      format: 'JSONEachRow',
    });
    const rows = await result.json<Omit<DunningRecord, 'at' | 'tenantId'> & { ms: number }>();
    return rows.map(({ ms, ...row }) => ({ ...row, tenantId, at: new Date(Number(ms)) }));
  }

  /** When this returns, the record is kept. */
  async keep({ tenantId, number, invoiceId, action, at }: DunningRecord): Promise<void> {
    await this.#clickhouse.command({
      query: `
        INSERT INTO dunning_actions (tenant_id, number, invoice_id, action, at)
        SETTINGS async_insert = 0
        FORMAT JSONCompactEachRow
        ${JSON.stringify([tenantId, number, invoiceId, action, at.getTime()])}`,
    });
  }
}
