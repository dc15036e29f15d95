/** The billing beside the server, and what it does in its rounds. */
import type { ClickHouseClient } from '@clickhouse/client';
import { StripeBillingManager } from '../billing/billing-manager.js';
import { ensureCatalogue } from '../billing/catalogue.js';
import { chargeHeldDrafts } from '../billing/charge-held-drafts.js';
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
  /** Reports usage, reminds of trials without a card, charges what was held back. */
  readonly round: (dunning: DunningManager) => Promise<void>;
}

/** @example const { billing, round } = await runBilling({ stripe, clickhouse, redis, now }); */
export async function runBilling(services: TenantBillingServices): Promise<RunningBilling> {
  const { stripe, clickhouse, redis, now, testClock } = services;
  const ledger = await openReportLedger(clickhouse);
  const books = () => ({ clickhouse, billing, ledger, now: now() });
  const billing: StripeBillingManager = new StripeBillingManager(stripe, {
    catalogue: await ensureCatalogue(stripe),
    now,
    ...(testClock && { testClock }),
    beforeChange: (tenantId, kind) => reportBeforeChange(books(), { tenantId, kind }),
  });
  const oneAtATime = tenantLock(redis);
  return {
    billing,
    async round(dunning) {
      const failed = await oneAtATime('usage-sync', () => reportDays(books()));
      if (failed[0]) console.error(`${failed.length} days of usage wait: ${failed[0].error}`);
      const watched = { stripe, billing, now: now(), ...(testClock && { testClock }) };
      await remindOnce(await trialsWithoutCard(watched), 'trial_reminder', dunning);
      await remindOnce(await incompleteSubscriptions(watched), 'incomplete', dunning);
      await chargeHeldDrafts(stripe);
    },
  };
}
