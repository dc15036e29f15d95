/** Tenants that are here and at the local Stripe, on one clock: what a reconciliation compares. */
import { afterAll, beforeAll } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { readDailyUsage } from '../../src/billing/daily-usage.js';
import type { Books } from '../../src/billing/reconcile/books.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { type RepairResult, repairDifferences } from '../../src/billing/reconcile/repair-differences.js';
import { openReportLedger } from '../../src/billing/report-ledger.js';
import { openTestClock } from '../../src/billing/test-clock.js';
import { UsageSyncService } from '../../src/billing/usage-sync.js';
import { termsFollower } from '../../src/billing/webhooks/terms-follower.js';
import { createLocalStripe, type LocalStripeOptions } from '../../src/local-stripe/create-local-stripe.js';
import { recordTenants, type TenantTerms } from '../../src/metering/tenants.js';
import type { PlanName } from '../../src/plans.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

export type World = Awaited<ReturnType<typeof openWorld>>;

/** Opens the engine of a test file. @returns what makes a world in it, empty of all before */
export function useWorlds(): (options?: LocalStripeOptions) => Promise<World> {
  let engine: Embedded;
  beforeAll(async () => {
    engine = await openEmbedded();
  });
  afterAll(() => engine.close());
  return (options) => openWorld(engine, options);
}

/** An empty database and an empty Stripe, at the beginning of November. */
async function openWorld(engine: Embedded, options: LocalStripeOptions = {}) {
  for (const table of ['usage_events', 'usage_daily', 'tenant_quotas'])
    await engine.command(`TRUNCATE TABLE ${table}`);
  await engine.command('DROP TABLE IF EXISTS usage_reports');
  const { clickhouse } = engine;
  const start = '2025-11-01';
  let now = new Date(start);
  const local = createLocalStripe({ seed: 'books', clockLimits: false, now: () => now, ...options });
  const stripe = local.client({ maxNetworkRetries: 0 });
  const clock = openTestClock(stripe, { start: now });
  const catalogue = await ensureCatalogue(stripe);
  const billing = new StripeBillingManager(stripe, { catalogue, testClock: clock });
  const ledger = await openReportLedger(clickhouse);
  const subscriptions = new Map<string, string>();

  const record = (tenantId: string, from: Date | string, some: Partial<TenantTerms> = {}) =>
    recordTenants(clickhouse, [
      { tenantId, effectiveFrom: new Date(from), plan: 'starter', state: 'active', ...some },
    ]);
  const customer = async (tenantId: string, card: string | null = 'pm_card_visa') => {
    const id = await billing.createCustomer({ tenantId, email: `${tenantId}@example.com`, name: tenantId });
    if (card) await billing.attachPaymentMethod({ customerId: id, paymentMethodId: card });
    return id;
  };
  const books = (): Books => ({ clickhouse, stripe, billing, catalogue, ledger, now, testClock: clock });
  return {
    local,
    clock,
    stripe,
    billing,
    catalogue,
    clickhouse,
    ledger,
    subscriptions,
    record,
    customer,
    now: () => now,
    books,
    repairAll: async (): Promise<RepairResult[]> =>
      repairDifferences(await reconcile(books()), books(), { dryRun: false }),
    /** Moves both clocks. */
    async advance(to: string): Promise<void> {
      now = new Date(to);
      await clock.advanceTo(now);
      await local.settled();
    },
    /** A tenant that begins now, here and there. */
    async join(
      tenantId: string,
      plan: PlanName = 'starter',
      { trialDays = 0, card = 'pm_card_visa' }: { trialDays?: number; card?: string | null } = {},
    ): Promise<string> {
      const customerId = await customer(tenantId, card);
      const made = await billing.createSubscription({ tenantId, customerId, planType: plan, trialDays });
      await record(tenantId, now, { plan, trialEndsAt: made.trialEnd ?? undefined });
      subscriptions.set(tenantId, made.subscriptionId);
      return made.subscriptionId;
    },
    subscriptionOf: (tenantId: string) => subscriptions.get(tenantId) ?? '',
    /** Stores one event of so many queries for each instant; accepted then, or later. */
    async use(tenantId: string, usage: Record<string, number>, accepted?: string): Promise<void> {
      const events = Object.entries(usage).map(([instant, queries]) =>
        eventOf(
          { tenantId, queries, timestamp: new Date(instant) },
          new Date(accepted ?? Math.min(Date.parse(instant) + 1_000, now.getTime())),
        ),
      );
      await storeBatch(clickhouse, events);
    },
    dailyUsage: (month: string) => readDailyUsage(clickhouse, { month }),
    /** What a webhook leads to: the terms by Stripe's invoice lines. */
    async follow(tenantId: string): Promise<void> {
      const customerId = (await billing.findCustomer(tenantId)) ?? '';
      const { redis } = engine;
      await termsFollower(stripe, { clickhouse, redis, now: () => now })({ tenantId, customerId });
    },
    /** The nightly report. */
    async sync(month: string): Promise<void> {
      const rows = await readDailyUsage(clickhouse, { month });
      const results = await new UsageSyncService(billing, { ledger }).syncDailyUsage(rows);
      const failed = results.find(({ success }) => !success);
      if (failed) throw new Error(failed.error);
    },
  };
}
