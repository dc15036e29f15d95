/** The end of a period: a renewal, the end of a trial, or the end of the subscription. */
import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import { beginPeriod } from './begin-period.js';
import { type Bill, billSubscription } from './bill-subscription.js';
import { spanOf } from './billing-period.js';
import { endSubscription } from './end-subscription.js';
import { unbilledUsage } from './unbilled-usage.js';

export function endPeriod(account: Account, id: string): void {
  const subscription = account.tables.subscriptions.one(id);
  if (subscription.cancel_at_period_end) endAtBoundary(account, subscription);
  else if (subscription.status !== 'trialing' || hasMethod(account, subscription))
    renew(account, subscription);
  else endTrialWithoutMethod(account, subscription);
}

function endTrialWithoutMethod(account: Account, before: Subscription): void {
  const behavior = before.trial_settings?.end_behavior.missing_payment_method;
  if (behavior === 'pause') {
    const paused = account.tables.subscriptions.change(before.id, { status: 'paused' });
    account.emit('customer.subscription.paused', paused);
  } else if (behavior === 'cancel') {
    endSubscription(account, before, { reason: 'cancellation_requested' });
  } else renew(account, before);
}

/** Licensed items are billed for the period that begins, metered ones for the one that ended. */
function renew(account: Account, before: Subscription): void {
  const place = account.outbox.length;
  const status = before.status === 'trialing' ? 'active' : before.status;
  beginPeriod(account, before, { status }, billOf(account, before));
  const after = account.tables.subscriptions.one(before.id);
  account.emit('customer.subscription.updated', after, { before, place });
}

/** The subscription ends as was asked; its last usage is billed. */
function endAtBoundary(account: Account, before: Subscription): void {
  billSubscription(account, before, billOf(account, before));
  endSubscription(account, account.tables.subscriptions.one(before.id), { reason: 'cancellation_requested' });
}

/** The usage of the period, and whether its invoice is finalized by itself: not while drafts are kept. */
function billOf(account: Account, subscription: Subscription): Bill {
  const { status, pause_collection: pause } = subscription;
  const { now } = account.customer(subscription.customer);
  return {
    reason: 'subscription_cycle',
    usage: unbilledUsage(account, subscription.items.data, now),
    start: spanOf(subscription).start,
    autoAdvance: status !== 'unpaid' && pause?.behavior !== 'keep_as_draft',
  };
}

function hasMethod(account: Account, subscription: Subscription): boolean {
  const customer = account.tables.customers.one(subscription.customer);
  return (
    subscription.collection_method === 'send_invoice' ||
    (subscription.default_payment_method ?? customer.invoice_settings.default_payment_method) !== null
  );
}
