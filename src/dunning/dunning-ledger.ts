/**
 * What was done to and said to a tenant, kept for good: nobody is told the same thing twice, not even
 * after Redis was wiped. It is the messages' outbox as well: a row is written before its message is
 * sent, and marked afterwards, so that a process that was killed in between is not silent about it.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { insertRows } from '../tenant-rows.js';
import type { Standing } from '../tenants/gate-entry.js';

/** One thing done. */
export interface DunningRecord {
  readonly tenantId: string;
  /** Counts from 1 for each tenant: several things may be done at one instant. */
  readonly number: number;
  /** Id of the unpaid invoice, the subscription or the dispute that it was done for. */
  readonly about: string;
  /** A step of the ladder, `reactivated`, `standing_changed`, or the topic of another message. */
  readonly action: string;
  /** How the tenant stands from then on. */
  readonly standing: Standing;
  readonly at: Date;
  /** What the tenant is told; empty for what is done silently. */
  readonly text: string;
  /** Whether the notifier has taken it. */
  readonly told: boolean;
}

/* Sorted by tenant, since a tenant's rows are read together; the rest is what makes a row the same one
 * when it is written again. Of the two versions of a row the one that was told stays. */
const TENANT_LEDGER_TABLE = `
  CREATE TABLE IF NOT EXISTS tenant_ledger
  (
    tenant_id LowCardinality(String),
    number    UInt32                  COMMENT 'counts from 1 for each tenant',
    action    LowCardinality(String)  COMMENT 'e.g. reminder_sent',
    about     String                  COMMENT 'id of an invoice, a subscription or a dispute',
    standing  LowCardinality(String)  COMMENT 'good, reduced or suspended from then on',
    at        DateTime64(3, 'UTC'),
    text      String                  COMMENT 'the message; empty without one',
    told      UInt8                   COMMENT '0: may have been sent, 1: was'
  )
  ENGINE = ReplacingMergeTree(told)
  ORDER BY (tenant_id, number, action, about)`;

interface Row extends Omit<DunningRecord, 'at' | 'told'> {
  readonly ms: number;
  readonly isTold: number;
}

/**
 * What was done to each tenant and told to it, in ClickHouse: nobody is told the same thing twice.
 *
 * @example const ledger = await DunningLedger.open(clickhouse);
 */
export class DunningLedger {
  readonly #clickhouse: ClickHouseClient;

  private constructor(clickhouse: ClickHouseClient) {
    this.#clickhouse = clickhouse;
  }

  /** Makes the table where it is missing. */
  static async open(clickhouse: ClickHouseClient): Promise<DunningLedger> {
    await clickhouse.command({ query: TENANT_LEDGER_TABLE });
    return new DunningLedger(clickhouse);
  }

  /** All that was done to a tenant, oldest first. */
  async of(tenantId: string): Promise<DunningRecord[]> {
    return this.#read(`WHERE tenant_id = {tenantId:String} ORDER BY number`, { tenantId });
  }

  /** Of each tenant on whom one of some actions was done, the newest of those records. */
  async newestOf(actions: readonly string[]): Promise<DunningRecord[]> {
    return this.#read(
      `WHERE action IN {actions:Array(String)} ORDER BY tenant_id, number DESC LIMIT 1 BY tenant_id`,
      { actions },
    );
  }

  /** Tenants with a message that was written down, and may not have been sent. */
  async tenantsToTell(): Promise<string[]> {
    const waiting = await this.#read('WHERE told = 0 ORDER BY tenant_id LIMIT 1 BY tenant_id', {});
    return waiting.map(({ tenantId }) => tenantId);
  }

  /** When this returns, the records are kept. */
  async keep(records: readonly DunningRecord[]): Promise<void> {
    const lines = records.map(({ tenantId, at, told, ...row }) =>
      JSON.stringify({ tenant_id: tenantId, ...row, at: at.getTime(), told: told ? 1 : 0 }),
    );
    await insertRows(this.#clickhouse, 'tenant_ledger', lines);
  }

  async #read(rest: string, params: Record<string, unknown>): Promise<DunningRecord[]> {
    const result = await this.#clickhouse.query({
      query: `
        SELECT
          tenant_id AS tenantId,
          number,
          action,
          about,
          standing,
          toUnixTimestamp64Milli(at) AS ms,
          text,
          told AS isTold
        FROM tenant_ledger FINAL
        ${rest}`,
      query_params: params,
      format: 'JSONEachRow',
    });
    const rows = await result.json<Row>();
    return rows.map(({ ms, isTold, ...row }) => ({
      ...row,
      at: new Date(Number(ms)),
      told: Number(isTold) === 1,
    }));
  }
}
