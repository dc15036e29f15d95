/**
 * Reports usage to Stripe: one meter event for each tenant and UTC day, carrying the day's total. Of
 * the events of a day Stripe takes the newest, so a total that changed is sent again and replaces the
 * old one. (The API of 2024 had `action=set` for this; it is gone.) Run it as often as you like, and by
 * one process at a time.
 */
import { setTimeout } from 'node:timers/promises';
import Stripe from 'stripe';
import type { StripeBillingManager } from './billing-manager.js';
import type { DailyUsage } from './daily-usage.js';
import { keyOf, type ReportLedger, type UsageReport } from './report-ledger.js';

/** What is to be reported; the customer is looked up by the subscription, or else by the tenant. */
export interface UsageRow extends DailyUsage {
  readonly subscription_id?: string;
}

export interface UsageSyncOptions {
  readonly ledger: ReportLedger;
  /** Tenants whose usage is under way at once; of each Stripe takes one report at a time. @default 8 */
  readonly atOnce?: number;
  /** First wait when Stripe asks to slow down (a sandbox takes 25 calls a second); it doubles. @default 500 */
  readonly backoffMs?: number;
  /** Told after each report, for a display of progress. */
  readonly onProgress?: (done: number, of: number) => void;
}

export interface SyncResult extends DailyUsage {
  /** Whether the total is at Stripe. */
  readonly success: boolean;
  readonly outcome: 'sent' | 'unchanged since the last time' | 'failed';
  /** Why it failed. */
  readonly error?: string;
}

/** Reports that are written down together before they are sent. */
const PORTION = 500;

/** Tries of a report while Stripe asks to slow down. */
const TRIES = 7;

/**
 * @example
 * const sync = new UsageSyncService(billing, { ledger: await openReportLedger(clickhouse) });
 * const results = await sync.syncDailyUsage(await readDailyUsage(clickhouse, { month: '2025-11' }));
 */
export class UsageSyncService {
  readonly #billing: StripeBillingManager;
  readonly #options: UsageSyncOptions;
  readonly #customers = new Map<string, Promise<string>>();

  constructor(billing: StripeBillingManager, options: UsageSyncOptions) {
    this.#billing = billing;
    this.#options = options;
  }

  /**
   * Reports what is not yet at Stripe. A tenant whose report fails does not hold up the others; the
   * next run tries it again.
   *
   * @returns one result for each row, in their order
   */
  async syncDailyUsage(rows: readonly UsageRow[]): Promise<SyncResult[]> {
    const results: SyncResult[] = [];
    for (let start = 0; start < rows.length; start += PORTION) {
      const tell = (done: number) => this.#options.onProgress?.(start + done, rows.length);
      results.push(...(await this.#syncPortion(rows.slice(start, start + PORTION), tell)));
    }
    return results;
  }

  async #syncPortion(rows: readonly UsageRow[], tell: (done: number) => void): Promise<SyncResult[]> {
    const { ledger, atOnce = 8 } = this.#options;
    const known = await ledger.newest(rows);
    const written = new Set(known.values());
    const reports = rows.map((row) => {
      const report = reportOf(row, known.get(keyOf(row)));
      known.set(keyOf(row), report);
      return { row, report };
    });
    const due = reports.filter(({ report }) => !report.acknowledged);
    // Before anything is sent: a total that may be at Stripe is never forgotten.
    await ledger.keep(due.map(({ report }) => report).filter((report) => !written.has(report)));
    const errors = new Map<UsageReport, string>();
    let done = rows.length - due.length;
    await inLanes(byTenant(due), atOnce, async (reportsOfTenant) => {
      for (const { row, report } of reportsOfTenant) {
        try {
          await this.#send(row, report);
        } catch (error) {
          errors.set(report, error instanceof Error ? error.message : String(error));
        }
        done += 1;
        tell(done);
      }
    });
    const taken = due.map(({ report }) => report).filter((report) => !errors.has(report));
    await ledger.keep(taken.map((report) => ({ ...report, acknowledged: true })));
    return reports.map(({ report }) => resultOf(report, errors.get(report)));
  }

  async #send(row: UsageRow, report: UsageReport): Promise<void> {
    const customerId = await this.#customerOf(row);
    let waitMs = this.#options.backoffMs ?? 500;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#billing.reportUsage({ customerId, ...report });
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeRateLimitError) || tries === TRIES) throw error;
      }
      await setTimeout(waitMs);
      waitMs *= 2;
    }
  }

  /** Looked up once: a tenant has many days. */
  #customerOf({ tenant_id, subscription_id }: UsageRow): Promise<string> {
    const known = this.#customers.get(tenant_id);
    if (known) return known;
    const customer = this.#billing.customerFor({ tenantId: tenant_id, subscriptionId: subscription_id });
    this.#customers.set(tenant_id, customer);
    // A tenant without a customer may have one by the next run.
    customer.catch(() => this.#customers.delete(tenant_id));
    return customer;
  }
}

function resultOf(
  { tenant_id, date, query_count, acknowledged }: UsageReport,
  error: string | undefined,
): SyncResult {
  const row = { tenant_id, date, query_count };
  if (error !== undefined) return { ...row, success: false, outcome: 'failed', error };
  return { ...row, success: true, outcome: acknowledged ? 'unchanged since the last time' : 'sent' };
}

/** Another total than the last that was written down is a new revision, also one that was there before. */
function reportOf({ tenant_id, date, query_count }: UsageRow, last: UsageReport | undefined): UsageReport {
  if (last?.query_count === query_count) return last;
  return { tenant_id, date, query_count, revision: (last?.revision ?? 0) + 1, acknowledged: false };
}

interface Due {
  readonly row: UsageRow;
  readonly report: UsageReport;
}

function byTenant(due: readonly Due[]): Due[][] {
  const groups = new Map<string, Due[]>();
  for (const one of due) groups.set(one.row.tenant_id, [...(groups.get(one.row.tenant_id) ?? []), one]);
  return [...groups.values()];
}

async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
