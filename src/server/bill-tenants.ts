/**
 * The billing beside the server: usage is reported to Stripe, its webhooks are handled, unpaid invoices reach
 * the gate, what was held back for them is charged when they are paid, and trials without a card are reminded.
 */
import { StripeBillingManager } from '../billing/billing-manager.js';
import { ensureCatalogue } from '../billing/catalogue.js';
import { chargeHeldDrafts } from '../billing/charge-held-drafts.js';
import { remindOnce } from '../billing/reconcile/remind-once.js';
import { incompleteSubscriptions, trialsWithoutCard } from '../billing/reconcile/watched-subscriptions.js';
import { reportBeforeChange, reportDays } from '../billing/report-days.js';
import { openReportLedger } from '../billing/report-ledger.js';
import type { DunningManager } from '../dunning/dunning-manager.js';
import { consoleNotifier, type Notifier } from '../notifier.js';
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
  const books = () => ({ clickhouse: client.clickhouse, billing, ledger, now: new Date() });
  const billing: StripeBillingManager = new StripeBillingManager(client.stripe, {
    catalogue: await ensureCatalogue(client.stripe),
    beforeChange: (tenantId, kind) => reportBeforeChange(books(), { tenantId, kind }),
  });
  const oneAtATime = tenantLock(client.redis);
  const round = async (dunning: DunningManager) => {
    const failed = await oneAtATime('usage-sync', () => reportDays(books()));
    if (failed[0]) console.error(`${failed.length} days of usage wait: ${failed[0].error}`);
    const watched = { stripe: client.stripe, billing, now: new Date() };
    await remindOnce(await trialsWithoutCard(watched), 'trial_reminder', dunning);
    await remindOnce(await incompleteSubscriptions(watched), 'incomplete', dunning);
    await chargeHeldDrafts(client.stripe);
  };
  return startWebhooks({ ...client, billing, notifier, round });
}
