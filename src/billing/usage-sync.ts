/**
 * Reports usage to Stripe: one meter event for each tenant and UTC day, carrying the day's total. Of
 * the events of a day Stripe takes the newest, so a total that changed is sent again and replaces the
 * old one. (The API of 2024 had `action=set` for this; it is gone.) Run it as often as you like, and by
 * one process at a time.
 */
import { setTimeout } from 'node:timers/promises';
import Stripe from 'stripe';
import { z } from 'zod';
import { parseInput, tenantId, wholeNumber } from '../input.js';
import type { StripeBillingManager } from './billing-manager.js';
import { customerLookup } from './customer-lookup.js';
import type { DailyUsage } from './daily-usage.js';
import { grouped } from './grouped.js';
import { keyOf, type ReportLedger, type UsageReport } from './report-ledger.js';

/** What is to be reported; the customer is looked up by the tenant's subscription, or else by the tenant. */
export interface UsageRow extends DailyUsage {
  readonly subscription_id?: string | undefined;
}

const schema = z.object({
  tenant_id: tenantId,
  date: z.iso.date('must be a day, e.g. 2025-11-30'),
  query_count: wholeNumber,
  subscription_id: z.string('must be the id of a subscription').optional(),
});

export interface UsageSyncOptions {
  readonly ledger: ReportLedger;
  /** First wait when Stripe asks to slow down (a sandbox takes 25 calls a second); it doubles. @default 500 */
  readonly backoffMs?: number;
  /** Whether what the ledger holds as sent is sent again, as where Stripe has not got it. @default false */
  readonly again?: boolean;
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

/** Tenants whose usage is under way at once; of each Stripe takes one report at a time. */
const AT_ONCE = 8;

/** Tries of a report while Stripe asks to slow down. */
const TRIES = 7;

/**
 * Reports each tenant's total of a UTC day to Stripe's meter, as often as it changed.
 *
 * @example
 * const sync = new UsageSyncService(billing, { ledger: await openReportLedger(clickhouse) });
 * const results = await sync.syncDailyUsage(await readDailyUsage(clickhouse, { month: '2025-11' }));
 */
export class UsageSyncService {
  readonly #billing: StripeBillingManager;
  readonly #options: UsageSyncOptions;

  constructor(billing: StripeBillingManager, options: UsageSyncOptions) {
    this.#billing = billing;
    this.#options = options;
  }

  /**
   * Reports what is not yet at Stripe. A tenant whose report fails does not hold up the others; the
   * next run tries it again.
   *
   * @returns one result for each row, in their order
   * @throws InvalidInputError for the first malformed row; nothing is sent then.
   */
  async syncDailyUsage(rows: readonly UsageRow[]): Promise<SyncResult[]> {
    for (const row of rows) parseInput(schema, 'usage row', row);
    const customerOf = customerLookup(this.#billing, rows);
    const results: SyncResult[] = [];
    for (let start = 0; start < rows.length; start += PORTION) {
      const tell = (done: number) => this.#options.onProgress?.(start + done, rows.length);
      results.push(...(await this.#syncPortion(rows.slice(start, start + PORTION), customerOf, tell)));
    }
    return results;
  }

  async #syncPortion(
    rows: readonly UsageRow[],
    customerOf: (row: UsageRow) => Promise<string>,
    tell: (done: number) => void,
  ): Promise<SyncResult[]> {
    const { ledger, again = false } = this.#options;
    const errors = new Map<UsageRow, string>();
    const failed = (row: UsageRow) => (error: unknown) =>
      void errors.set(row, error instanceof Error ? error.message : String(error));
    const customers = new Map<UsageRow, string>();
    const keepCustomer = async (row: UsageRow) => void customers.set(row, await customerOf(row));
    await inLanes(rows, (row) => this.#patiently(() => keepCustomer(row)).catch(failed(row)));
    const known = await ledger.newest(rows);
    const written = new Set(known.values());
    const reports = rows.flatMap((row) => {
      const customerId = customers.get(row);
      if (customerId === undefined) return [];
      const report = reportOf(row, { customerId, last: known.get(keyOf(row)), again });
      known.set(keyOf(row), report);
      return [{ row, report }];
    });
    const due = reports.filter(({ report }) => !report.acknowledged);
    // Before anything is sent: a total that may be at Stripe is never forgotten.
    await ledger.keep(due.map(({ report }) => report).filter((report) => !written.has(report)));
    let done = rows.length - due.length;
    await inLanes([...grouped(due, ({ row }) => row.tenant_id).values()], async (reportsOfTenant) => {
      for (const { row, report } of reportsOfTenant) {
        const day = { ...report, customerId: report.customer_id };
        await this.#patiently(() => this.#billing.reportUsage(day)).catch(failed(row));
        done += 1;
        tell(done);
      }
    });
    const taken = due.filter(({ row }) => !errors.has(row)).map(({ report }) => report);
    await ledger.keep(taken.map((report) => ({ ...report, acknowledged: true })));
    const sent = new Set(due.map(({ row }) => row));
    return rows.map((row) => resultOf(row, errors.get(row), sent.has(row)));
  }

  /** Tries again, ever more slowly, while Stripe asks to slow down. */
  async #patiently(work: () => Promise<void>): Promise<void> {
    let waitMs = this.#options.backoffMs ?? 500;
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeRateLimitError) || tries === TRIES) throw error;
      }
      await setTimeout(waitMs);
      waitMs *= 2;
    }
  }
}

function resultOf(usage: UsageRow, error: string | undefined, isSent: boolean): SyncResult {
  const { subscription_id: _, ...row } = usage;
  if (error !== undefined) return { ...row, success: false, outcome: 'failed', error };
  return { ...row, success: true, outcome: isSent ? 'sent' : 'unchanged since the last time' };
}

/**
 * Another total than the last that was written down is a new revision, also one that was there before; and so
 * is the same total for another customer, whose meter does not have it.
 */
function reportOf(
  { tenant_id, date, query_count }: UsageRow,
  { customerId, last, again }: { customerId: string; last: UsageReport | undefined; again: boolean },
): UsageReport {
  if (!again && last?.query_count === query_count && last.customer_id === customerId) return last;
  const revision = (last?.revision ?? 0) + 1;
  return { tenant_id, customer_id: customerId, date, query_count, revision, acknowledged: false };
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
