/** What an invoice's fate does to its subscription. */
import type { Account } from '../state/account.js';
import { type Invoice, type Subscription, subscriptionOf } from '../state/tables.js';
import { spanOf } from './billing-period.js';

/** Statuses that end when the latest invoice is settled. */
const WAITING = new Set<string>(['incomplete', 'past_due', 'unpaid', 'paused']);

/** Its latest invoice was paid, or written off: a subscription that waited for it is active. */
export function settled(account: Account, invoice: Invoice): void {
  const subscription = account.tables.subscriptions.get(subscriptionOf(invoice));
  if (!subscription || subscription.latest_invoice !== invoice.id || !WAITING.has(subscription.status))
    return;
  if (subscription.status === 'incomplete') {
    const { clock } = account.customer(subscription.customer);
    account.unschedule('expire_incomplete', subscription.id);
    account.schedule('end_period', subscription.id, { clock, at: spanOf(subscription).end });
  }
  changeStatus(account, subscription, 'active');
}

/** Changes a status and tells of it; the same status changes nothing. */
export function changeStatus(account: Account, before: Subscription, status: Subscription['status']): void {
  if (before.status === status) return;
  const { clock } = account.customer(before.customer as string);
  const after = account.tables.subscriptions.change(before.id, { status });
  account.emit('customer.subscription.updated', after, { clock, before });
}
