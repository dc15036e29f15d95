/** Does the repairs of a reconciliation, or says what they would be. */
import { recordTenants } from '../../metering/tenants.js';
import { DAY_MS, dayOf } from '../../period.js';
import { sdkOf } from '../sdk.js';
import { UsageSyncService } from '../usage-sync.js';
import type { Books } from './books.js';
import type { Difference } from './difference.js';
import { CORRECTS } from './plan-lines-of.js';
import { DOUBLE_OF } from './read-stripe-side.js';
import { type Correction, type Repair, wordsOf } from './repair.js';

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
      return correct(repair.correction, books);
    case 'subscribe':
      return subscribe(repair, books);
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
        metadata: { tenant_id: '', [DOUBLE_OF]: repair.tenantId },
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

async function subscribe(
  { tenantId, customerId, plan, trialEndsAt }: Doing<'subscribe'>,
  { billing, now }: Books,
): Promise<void> {
  const trialDays = trialEndsAt ? (trialEndsAt.getTime() - now.getTime()) / DAY_MS : 0;
  await billing.createSubscription({ tenantId, customerId, planType: plan, trialDays });
}

/** An item on the next invoice, once for each revision. Stripe forgets an idempotency key after a day. */
async function correct(correction: Correction, { stripe: client }: Books): Promise<void> {
  const stripe = sdkOf(client);
  const { tenantId, customerId, month, kind, plan, period, revision } = correction;
  const name = `correction:${tenantId}:${month}:${kind}:${plan}:${dayOf(period.start)}:${revision}`;
  for await (const { metadata } of stripe.invoiceItems.list({ customer: customerId, limit: 100 }))
    if (metadata?.[CORRECTS.name] === name) return;
  await stripe.invoiceItems.create(
    {
      customer: customerId,
      subscription: correction.subscriptionId,
      currency: 'usd',
      amount: correction.amountCents,
      description: `${correction.words}, corrected for ${month}`,
      period: { start: period.start.getTime() / 1_000, end: period.end.getTime() / 1_000 },
      metadata: {
        tenant_id: tenantId,
        [CORRECTS.name]: name,
        [CORRECTS.month]: month,
        [CORRECTS.kind]: kind,
        [CORRECTS.plan]: plan,
        [CORRECTS.queries]: String(correction.queries),
      },
    },
    { idempotencyKey: name },
  );
}
