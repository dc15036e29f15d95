/**
 * The billing beside the server: usage is reported to Stripe, its webhooks are handled, unpaid invoices reach
 * the gate, and trials without a card are reminded.
 */
import { StripeBillingManager } from '../billing/billing-manager.js';
import { ensureCatalogue } from '../billing/catalogue.js';
import { readDailyUsage } from '../billing/daily-usage.js';
import { remindOnce } from '../billing/reconcile/remind-once.js';
import { incompleteSubscriptions, trialsWithoutCard } from '../billing/reconcile/watched-subscriptions.js';
import { openReportLedger } from '../billing/report-ledger.js';
import { UsageSyncService } from '../billing/usage-sync.js';
import type { DunningManager } from '../dunning/dunning-manager.js';
import { consoleNotifier, type Notifier } from '../notifier.js';
import { dayOf, monthOf, previousMonth } from '../period.js';
import { allOf } from '../service.js';
import type { Services } from '../services/open-services.js';
import { tenantLock } from '../tenants/tenant-lock.js';
import { type StartedWebhooks, startWebhooks } from './start-webhooks.js';

/**
 * @returns undefined where one of its services is off
 * @example const billing = await billTenants(services);
 */
export async function billTenants(
  { clickhouse, redis, stripe }: Pick<Services, 'clickhouse' | 'redis' | 'stripe'>,
  { notifier = consoleNotifier }: { notifier?: Notifier } = {},
): Promise<StartedWebhooks | undefined> {
  const all = allOf({ clickhouse, redis, stripe });
  if (all.mode === 'off') return undefined;
  const { client } = all;
  const ledger = await openReportLedger(client.clickhouse);
  /** Reports the days that are over, of this month and the one before; what is there already is not sent. */
  const report = async (tenantIds?: readonly string[], { withToday = false } = {}) => {
    const now = new Date();
    const sync = new UsageSyncService(billing, { ledger });
    for (const { name: month } of [previousMonth(now), monthOf(now)]) {
      const usage = await readDailyUsage(client.clickhouse, { month, ...(tenantIds && { tenantIds }) });
      const results = await sync.syncDailyUsage(usage.filter(({ date }) => withToday || date < dayOf(now)));
      const failed = results.filter(({ success }) => !success);
      if (failed[0]) console.error(`${failed.length} days of usage wait: ${failed[0].error}`);
    }
  };
  const billing: StripeBillingManager = new StripeBillingManager(client.stripe, {
    catalogue: await ensureCatalogue(client.stripe),
    // What was used under the old plan is billed by it.
    beforeChange: (tenantId, kind) => report([tenantId], { withToday: kind === 'end' }),
  });
  const oneAtATime = tenantLock(client.redis);
  const round = async (dunning: DunningManager) => {
    await oneAtATime('usage-sync', () => report());
    const watched = { stripe: client.stripe, billing, now: new Date() };
    await remindOnce(await trialsWithoutCard(watched), 'trial_reminder', dunning);
    await remindOnce(await incompleteSubscriptions(watched), 'incomplete', dunning);
  };
  return startWebhooks({ ...client, billing, notifier, round });
}
