/**
 * Lives the sample month at Stripe: its tenants subscribe when they did, change plans when they did,
 * their usage is reported as the days pass, and at the end Stripe has billed and charged them.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { SAMPLE_MONTH } from '../metering/sample-month.js';
import type { SampleTenant } from '../metering/sample-tenants.js';
import type { TenantTerms } from '../metering/tenants.js';
import { DAY_MS, dayOf, GRACE_MS } from '../period.js';
import type { StripeClient } from '../stripe-client.js';
import { StripeBillingManager } from './billing-manager.js';
import { ensureCatalogue } from './catalogue.js';
import { readDailyUsage } from './daily-usage.js';
import { grouped } from './grouped.js';
import type { Books } from './reconcile/books.js';
import { openReportLedger } from './report-ledger.js';
import { openTestClock, type TestClock } from './test-clock.js';
import { UsageSyncService } from './usage-sync.js';

/** The books of the month, and the clock that they live by. */
export interface BilledMonth extends Books {
  readonly testClock: TestClock;
}

export interface BillSampleMonthOptions {
  readonly tenants: readonly SampleTenant[];
  /** Told after each tenant that subscribed and each day's usage that was reported. */
  readonly onProgress?: (done: number, of: number) => void;
}

/** A time after the month's invoices are finalized, and charged. */
const SETTLED_MS = GRACE_MS + 2 * 3_600_000;

/**
 * Lives November 2025 at Stripe on test clocks: subscriptions, daily usage, changes of plan, charged invoices.
 *
 * @returns the books of the month; its clock stands three days after the month's end then
 * @example
 * const { tenants } = await loadSampleMonth(clickhouse);
 * const books = await billSampleMonth(clickhouse, stripe, { tenants });
 */
export async function billSampleMonth(
  clickhouse: ClickHouseClient,
  stripe: StripeClient,
  { tenants, onProgress = () => undefined }: BillSampleMonthOptions,
): Promise<BilledMonth> {
  const { start, end, name: month } = SAMPLE_MONTH;
  const clock = openTestClock(stripe, { start, name: `sample ${month}` });
  const catalogue = await ensureCatalogue(stripe);
  const billing = new StripeBillingManager(stripe, { catalogue, testClock: clock });
  const ledger = await openReportLedger(clickhouse);
  const tenantIds = tenants.map(({ tenantId }) => tenantId);
  const usage = await readDailyUsage(clickhouse, { month, tenantIds });
  let done = 0;
  const tell = (more: number) => onProgress(done + more, tenants.length + usage.length);
  const sync = new UsageSyncService(billing, { ledger, onProgress: tell });
  let reported = dayOf(start);
  /** Reports the days before one. */
  const report = async (day: string) => {
    const due = usage.filter(({ date }) => date >= reported && date < day);
    const failed = (await sync.syncDailyUsage(due)).find(({ success }) => !success);
    if (failed) throw new Error(`Cannot report usage of ${failed.tenant_id}: ${failed.error}`);
    done += due.length;
    reported = day;
  };

  const subscriptions = new Map<string, string>();
  for (const [instant, beginning] of byTime(tenants, start)) {
    await clock.advanceTo(instant);
    // A plan bills the usage that Stripe knows of when it ends.
    await report(dayOf(instant));
    for (const terms of beginning) {
      const { tenantId, plan: planType } = terms;
      const subscriptionId = subscriptions.get(tenantId);
      if (subscriptionId) await billing.changePlan({ subscriptionId, planType });
      else {
        subscriptions.set(tenantId, await subscribe(billing, terms));
        done += 1;
      }
      tell(0);
    }
  }
  await clock.advanceTo(end);
  await report(dayOf(end));
  await clock.advanceTo(new Date(end.getTime() + SETTLED_MS));
  return { clickhouse, stripe, billing, catalogue, ledger, testClock: clock, now: clock.now() };
}

/** What begins at each instant, in order; what began before the month counts from its start. */
function byTime(tenants: readonly SampleTenant[], start: Date): [Date, TenantTerms[]][] {
  const terms = tenants.flatMap((tenant) => tenant.terms);
  const instants = grouped(terms, ({ effectiveFrom }) => Math.max(Number(effectiveFrom), Number(start)));
  return [...instants].sort(([a], [b]) => a - b).map(([time, begun]) => [new Date(time), begun]);
}

async function subscribe(
  billing: StripeBillingManager,
  { tenantId, plan: planType, effectiveFrom, trialEndsAt }: TenantTerms,
): Promise<string> {
  const email = `billing@${tenantId}.example`;
  const customerId = await billing.getOrCreateCustomer({ tenantId, email, name: tenantId });
  await billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_visa' });
  const trialDays = trialEndsAt ? (trialEndsAt.getTime() - effectiveFrom.getTime()) / DAY_MS : 0;
  const { subscriptionId } = await billing.createSubscription({ customerId, planType, tenantId, trialDays });
  return subscriptionId;
}
