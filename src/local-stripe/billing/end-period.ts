/** The end of a period: a renewal, the end of a trial, or the end of the subscription. */
import type { Account } from '../state/account.js';
import type { Invoice, Subscription } from '../state/tables.js';
import { licensedLines, noteBilled, periodFrom, spanOf, unbilledUsage } from './billing-period.js';
import { withSpan } from './change-subscription.js';
import { draftInvoice } from './draft-invoice.js';
import { endSubscription } from './end-subscription.js';
import { pendingItems } from './invoice-items.js';

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
    account.unschedule('end_period', before.id);
    account.emit('customer.subscription.paused', paused, { clock });
  } else if (behavior === 'cancel') {
    account.unschedule('end_period', before.id);
    endSubscription(account, before, { reason: 'cancellation_requested' });
  } else renew(account, before);
}

/** Begins the next period: licensed items are billed for it, metered ones for the one that ended. */
function renew(account: Account, before: Subscription): void {
  const { subscriptions } = account.tables;
  const { clock, now } = account.customer(before.customer as string);
  const place = account.outbox.length;
  const { period, share } = periodFrom(before.billing_cycle_anchor, before.items.data, now);
  const usage = unbilledUsage(account, before.items.data, now);
  const items = withSpan(before.items.data, period);
  const begun = subscriptions.change(before.id, {
    items: { ...before.items, data: items },
    status: before.status === 'trialing' ? 'active' : before.status,
  });
  account.schedule('end_period', before.id, { clock, at: period.end });
  const lines = licensedLines(account, items, { period, share });
  const invoice = billPeriod(account, begun, { lines, usage, start: spanOf(before).start });
  for (const { to, item } of usage) account.tables.items.change(item, { usageFrom: to });
  if (invoice) noteBilled(account, invoice, items, period);
  const after = subscriptions.one(before.id);
  account.emit('customer.subscription.updated', after, { clock, before, place });
}

/** The subscription ends as was asked; its last usage is billed. */
function endAtBoundary(account: Account, before: Subscription): void {
  const { now } = account.customer(before.customer as string);
  account.unschedule('end_period', before.id);
  const usage = unbilledUsage(account, before.items.data, now);
  billPeriod(account, before, { lines: [], usage, start: spanOf(before).start });
  endSubscription(account, account.tables.subscriptions.one(before.id), { reason: 'cancellation_requested' });
}

/** A draft that is finalized an hour later, or after the grace that usage gets; none when there is nothing to bill. */
function billPeriod(
  account: Account,
  subscription: Subscription,
  {
    lines,
    usage,
    start,
  }: { lines: ReturnType<typeof licensedLines>; usage: ReturnType<typeof unbilledUsage>; start: number },
): Invoice | undefined {
  const { customer, clock, now } = account.customer(subscription.customer as string);
  const pending = pendingItems(account, customer.id, subscription.id);
  if (lines.length + usage.length + pending.length === 0) return undefined;
  const keepsDrafts =
    subscription.status === 'unpaid' || subscription.pause_collection?.behavior === 'keep_as_draft';
  return draftInvoice(account, {
    customer,
    clock,
    now,
    subscription,
    reason: 'subscription_cycle',
    lines,
    usage,
    pending,
    period: { start, end: now },
    autoAdvance: !keepsDrafts,
  });
}

function hasMethod(account: Account, subscription: Subscription): boolean {
  const customer = account.tables.customers.one(subscription.customer as string);
  return (
    subscription.collection_method === 'send_invoice' ||
    (subscription.default_payment_method ?? customer.invoice_settings.default_payment_method) !== null
  );
}
