/** What an invoice's fate does to its subscription. */
import type { Account } from '../state/account.js';
import { type Invoice, type Subscription, subscriptionOf } from '../state/tables.js';
import { spanOf } from './billing-period.js';

/** Statuses that end when the invoices that decide are settled. */
const WAITING = new Set<string>(['incomplete', 'past_due', 'unpaid']);

/** The invoices that decide whether a subscription is past due: its latest, and that of its latest renewal. */
function decisive(account: Account, subscription: Subscription): Invoice[] {
  const all = account.tables.invoices.by('subscription', subscription.id);
  const renewal = all.filter(({ billing_reason: reason }) => reason === 'subscription_cycle').at(-1);
  return all.filter(({ id }) => id === subscription.latest_invoice || id === renewal?.id);
}

/** A change that is billed in between does not hide a renewal, nor does its payment settle one. */
export function isDecisive(account: Account, subscription: Subscription, invoice: string): boolean {
  return decisive(account, subscription).some(({ id }) => id === invoice);
}

/** An invoice was paid, or written off: a subscription that waited for it, and for no other, is active. */
export function settled(account: Account, invoice: Invoice): void {
  const subscription = account.tables.subscriptions.get(subscriptionOf(invoice));
  if (!subscription || !WAITING.has(subscription.status)) return;
  const waitsFor = decisive(account, subscription);
  if (!waitsFor.some(({ id }) => id === invoice.id) || waitsFor.some(({ status }) => status === 'open'))
    return;
  if (subscription.status === 'incomplete') {
    account.unschedule(subscription.id, 'expire_incomplete');
    account.schedule('end_period', subscription, spanOf(subscription).end);
  }
  changeStatus(account, subscription, 'active');
}

/** Changes a status and tells of it; the same status changes nothing. */
export function changeStatus(account: Account, before: Subscription, status: Subscription['status']): void {
  if (before.status === status) return;
  const after = account.tables.subscriptions.change(before.id, { status });
  account.emit('customer.subscription.updated', after, { before });
}
