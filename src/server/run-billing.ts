/** The billing beside the server, and what it does in its rounds. */
import type { ClickHouseClient } from '@clickhouse/client';
import { StripeBillingManager } from '../billing/billing-manager.js';
import { ensureCatalogue } from '../billing/catalogue.js';
import { chargeHeldDrafts } from '../billing/charge-held-drafts.js';
import type { Books } from '../billing/reconcile/books.js';
import { remindOnce } from '../billing/reconcile/remind-once.js';
import { incompleteSubscriptions, trialsWithoutCard } from '../billing/reconcile/watched-subscriptions.js';
import { reportBeforeChange, reportDays } from '../billing/report-days.js';
import { openReportLedger } from '../billing/report-ledger.js';
import type { TestClock } from '../billing/test-clock.js';
import type { DunningManager } from '../dunning/dunning-manager.js';
import type { RedisClient } from '../redis-client.js';
import type { StripeClient } from '../stripe-client.js';
import { tenantLock } from '../tenants/tenant-lock.js';

export interface TenantBillingServices {
  readonly stripe: StripeClient;
  /** With its tables. */
  readonly clickhouse: ClickHouseClient;
  readonly redis: RedisClient;
  readonly now: () => Date;
  /** The clock on which customers live. @default none: the real time */
  readonly testClock?: TestClock;
}

export interface RunningBilling {
  readonly billing: StripeBillingManager;
  /** All that a comparison of both sides reads, at the clock's time. */
  readonly books: () => Books;
  /** Reports usage, reminds of trials without a card, charges what was held back. */
  readonly round: (dunning: DunningManager) => Promise<void>;
}

/** @example const { billing, round } = await runBilling({ stripe, clickhouse, redis, now }); */
export async function runBilling(services: TenantBillingServices): Promise<RunningBilling> {
  const { stripe, clickhouse, redis, now, testClock } = services;
  const ledger = await openReportLedger(clickhouse);
  const catalogue = await ensureCatalogue(stripe);
  const clock = testClock && { testClock };
  const books = () => ({ stripe, clickhouse, billing, catalogue, ledger, now: now(), ...clock });
  const oneAtATime = tenantLock(redis);
  const billing: StripeBillingManager = new StripeBillingManager(stripe, {
    ...{ catalogue, now, ...clock },
    // With the lock of the round: of two reports of a day the one that read first must not arrive last.
    beforeChange: (tenantId, kind) =>
      oneAtATime(':usage-sync', () => reportBeforeChange(books(), { tenantId, kind })),
  });
  return {
    billing,
    books,
    async round(dunning) {
      const failed = await oneAtATime(':usage-sync', () => reportDays(books()));
      if (failed[0]) console.error(`${failed.length} days of usage wait: ${failed[0].error}`);
      await remindOnce(await trialsWithoutCard(books()), 'trial_reminder', dunning);
      await remindOnce(await incompleteSubscriptions(books()), 'incomplete', dunning);
      await chargeHeldDrafts(stripe);
    },
  };
}
