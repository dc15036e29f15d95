/** Does the repairs of a reconciliation, or says what they would be. */
import type Stripe from 'stripe';
import { recordTenants } from '../../metering/tenants.js';
import { DAY_MS } from '../../period.js';
import { METADATA } from '../context.js';
import { sdkOf } from '../sdk.js';
import { UsageSyncService } from '../usage-sync.js';
import type { Books } from './books.js';
import { correctInvoice } from './correct-invoice.js';
import type { Difference } from './difference.js';
import { type Repair, wordsOf } from './repair.js';

export interface RepairResult {
  readonly tenant: string;
  /** In words. */
  readonly repair: string;
  readonly outcome: 'would be done' | 'done' | 'failed' | 'left to a person';
  /** Why it failed. */
  readonly error?: string;
}

type Doing<Name extends Repair['does']> = Extract<Repair, { does: Name }>;

/** Who is whose customer comes first: what follows is done to those that stay. */
const ORDER: readonly Repair['does'][] = [
  'detach customer',
  'cancel',
  'void invoice',
  'subscribe',
  'follow Stripe',
  'correct invoice',
];

/**
 * Repairs move money: without `dryRun: false` they are only told. Each can be repeated; one that fails
 * does not hold up the others, and the next reconciliation lists its difference again.
 *
 * @example
 * const differences = await reconcile(books);
 * table(await repairDifferences(differences, books)); // look first
 * await repairDifferences(differences, books, { dryRun: false });
 */
export async function repairDifferences(
  differences: readonly Difference[],
  books: Books,
  { dryRun = true }: { dryRun?: boolean } = {},
): Promise<RepairResult[]> {
  const repairs = differences.map(({ repair }) => repair);
  const errors = dryRun ? new Map<Repair, string>() : await doRepairs(repairs, books);
  return differences.map(({ tenantId: tenant, repair }): RepairResult => {
    const told = { tenant, repair: wordsOf(repair) };
    if (repair.does === 'nothing') return { ...told, outcome: 'left to a person' };
    if (dryRun) return { ...told, outcome: 'would be done' };
    const error = errors.get(repair);
    return error === undefined ? { ...told, outcome: 'done' } : { ...told, outcome: 'failed', error };
  });
}

/** @returns what went wrong */
async function doRepairs(repairs: readonly Repair[], books: Books): Promise<Map<Repair, string>> {
  const errors = new Map<Repair, string>();
  const failed = (repair: Repair, error: unknown) =>
    errors.set(repair, error instanceof Error ? error.message : String(error));
  for (const does of ORDER) {
    for (const repair of repairs) {
      if (repair.does !== does || repair.does === 'nothing' || repair.does === 'report usage') continue;
      await doRepair(repair, books).catch((error: unknown) => failed(repair, error));
    }
  }
  // All together, as the nightly sync does it.
  const reports = repairs.filter((repair) => repair.does === 'report usage');
  await reportAgain(reports, books, failed).catch((error: unknown) => {
    for (const repair of reports) failed(repair, error);
  });
  return errors;
}

async function doRepair(
  repair: Exclude<Repair, Doing<'nothing' | 'report usage'>>,
  books: Books,
): Promise<void> {
  const stripe = sdkOf(books.stripe);
  switch (repair.does) {
    case 'correct invoice':
      return correctInvoice(stripe, repair.correction);
    case 'void invoice':
      return voidInvoice(stripe, repair.invoiceId);
    case 'subscribe': {
      const { tenantId, customerId, plan: planType, trialEndsAt } = repair;
      const trialDays = trialEndsAt ? (trialEndsAt.getTime() - books.now.getTime()) / DAY_MS : 0;
      await books.billing.createSubscription({ tenantId, customerId, planType, trialDays });
      return;
    }
    case 'cancel': {
      const { status } = await stripe.subscriptions.retrieve(repair.subscriptionId);
      if (status === 'canceled') return;
      // Neither usage nor a credit: what was charged by mistake is a difference of its own.
      await stripe.subscriptions.cancel(repair.subscriptionId, { invoice_now: false, prorate: false });
      return;
    }
    case 'detach customer':
      // Its invoices stay in sight under this name.
      await stripe.customers.update(repair.customerId, {
        metadata: { tenant_id: '', [METADATA.doubleOf]: repair.tenantId },
      });
      return;
    case 'follow Stripe':
      await recordTenants(books.clickhouse, [repair.terms]);
      await stripe.subscriptions.update(repair.subscriptionId, {
        metadata: { tenant_id: repair.terms.tenantId, plan: repair.terms.plan },
      });
      return;
    default:
      return repair satisfies never;
  }
}

/** Under new revisions: the ledger may well hold that Stripe has these totals, and it does not. */
async function reportAgain(
  reports: readonly Doing<'report usage'>[],
  { stripe, billing, catalogue, ledger }: Books,
  failed: (repair: Repair, error: unknown) => void,
): Promise<void> {
  if (reports.length === 0) return;
  const meter = await sdkOf(stripe).billing.meters.retrieve(catalogue.meterId);
  if (meter.event_time_window !== 'day')
    throw new Error(
      'Cannot report usage again: the meter adds up what it gets; make one with a window of a day',
    );
  const rows = reports.map(({ tenantId, subscriptionId, day, queries }) => ({
    ...{ tenant_id: tenantId, date: day, query_count: queries },
    ...(subscriptionId && { subscription_id: subscriptionId }),
  }));
  const results = await new UsageSyncService(billing, { ledger, again: true }).syncDailyUsage(rows);
  for (const [index, { success, error }] of results.entries()) {
    const report = reports[index];
    if (report && !success) failed(report, error);
  }
}

/** One that was paid meanwhile is refused by Stripe: the next reconciliation credits it. */
async function voidInvoice(stripe: Stripe, id: string): Promise<void> {
  const { status } = await stripe.invoices.retrieve(id);
  if (status === 'void') return;
  // Stripe deletes no draft of a subscription.
  if (status === 'draft') await stripe.invoices.finalizeInvoice(id, { auto_advance: false });
  await stripe.invoices.voidInvoice(id);
}
