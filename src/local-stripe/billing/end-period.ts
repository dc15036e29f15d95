/** The end of a period: a renewal, the end of a trial, or the end of the subscription. */

import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import { beginPeriod, billSubscription } from './begin-period.js';
import { spanOf, unbilledUsage } from './billing-period.js';
import { endSubscription } from './end-subscription.js';

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
    const { clock } = account.customer(before.customer as string);
    const paused = account.tables.subscriptions.change(before.id, { status: 'paused' });
    account.emit('customer.subscription.paused', paused, { clock });
  } else if (behavior === 'cancel') {
    endSubscription(account, before, { reason: 'cancellation_requested' });
  } else renew(account, before);
}

/** Licensed items are billed for the period that begins, metered ones for the one that ended. */
function renew(account: Account, before: Subscription): void {
  const { clock, now } = account.customer(before.customer);
  const place = account.outbox.length;
  const usage = unbilledUsage(account, before.items.data, now);
  const status = before.status === 'trialing' ? 'active' : before.status;
  beginPeriod(
    account,
    before,
    { status },
    { reason: 'subscription_cycle', usage, autoAdvance: advances(before) },
  );
  const after = account.tables.subscriptions.one(before.id);
  account.emit('customer.subscription.updated', after, { clock, before, place });
}

/** The subscription ends as was asked; its last usage is billed. */
function endAtBoundary(account: Account, before: Subscription): void {
  const { now } = account.customer(before.customer);
  const usage = unbilledUsage(account, before.items.data, now);
  const { start } = spanOf(before);
  billSubscription(account, before, {
    reason: 'subscription_cycle',
    usage,
    start,
    autoAdvance: advances(before),
  });
  endSubscription(account, account.tables.subscriptions.one(before.id), { reason: 'cancellation_requested' });
}

/** Whether invoices are finalized by themselves: not while the subscription is unpaid, or told to keep drafts. */
function advances({ status, pause_collection: pause }: Subscription): boolean {
  return status !== 'unpaid' && pause?.behavior !== 'keep_as_draft';
}

function hasMethod(account: Account, subscription: Subscription): boolean {
  const customer = account.tables.customers.one(subscription.customer);
  return (
    subscription.collection_method === 'send_invoice' ||
    (subscription.default_payment_method ?? customer.invoice_settings.default_payment_method) !== null
  );
}
