/** Changes of a subscription: its items with their prorations, its trial, its end. */

import { unsupported } from '../http/api-error.js';
import { defined, patched } from '../http/patched.js';
import type { Account } from '../state/account.js';
import type { Invoice, Subscription, SubscriptionItem } from '../state/tables.js';
import { beginPeriod } from './begin-period.js';
import { intervalOf, spanOf, withSpan } from './billing-period.js';
import { checkChange } from './check-change.js';
import { collectPayment } from './collect-payment.js';
import { detailsOf } from './end-subscription.js';
import { finalizeNow } from './finalize-now.js';
import { type ItemChange, isChange, itemChanges } from './item-changes.js';
import type { Span } from './lines.js';
import { checkItems } from './new-item.js';
import { checkMethod } from './payment-method.js';
import { prorateChange } from './prorate-change.js';
import { creditUnused } from './prorations.js';
import type { UpdateSubscriptionParams } from './subscription-params.js';
import { announceTrialEnd, TRIAL_END, trialEndOf } from './trial.js';
import { endsCounting, unbilledUsage } from './unbilled-usage.js';
import { checkUsage, dearestUnit } from './usage-limit.js';

/** Changes a subscription and bills the change as `proration_behavior` says. */
export function changeSubscription(
  account: Account,
  id: string,
  params: UpdateSubscriptionParams,
): Subscription {
  const { tables } = account;
  const before = tables.subscriptions.one(id);
  const { now } = account.customer(before.customer);
  checkChange(before, params, account.isPreview ? Infinity : now);
  checkMethod(account, before.customer, params.default_payment_method);
  const changes = itemChanges(account, before, params);
  const data = changes.flatMap(({ after }) => after ?? []);
  checkItems(data);
  for (const { price } of data) checkUsage(account, before.customer, price);
  tables.subscriptions.put({
    ...withFields(before, params, { now, span: spanOf(before) }),
    items: { ...before.items, data },
  });
  const resets = startsAnew(account, before, data, params);
  // In a trial there is nothing to prorate, from whatever time.
  if (params.proration_date !== undefined && (resets || !changes.some(isChange))) {
    throw unsupported('proration_date without a change of items within a period', 'proration_date');
  }
  const invoice = resets
    ? startAnew(account, before, changes, params)
    : before.status === 'trialing'
      ? moveTrial(account, id, params)
      : prorateChange(account, before, changes, params);
  const place = account.outbox.length - (invoice ? 1 : 0);
  const after = tables.subscriptions.one(id);
  account.emit('customer.subscription.updated', after, { before, place });
  const open = invoice && finalizeNow(account, invoice.id).status === 'open';
  if (open && after.collection_method !== 'send_invoice') {
    collectPayment(account, invoice.id, { automatic: true });
  }
  return tables.subscriptions.one(id);
}

function withFields(
  before: Subscription,
  params: UpdateSubscriptionParams,
  { now, span }: { now: number; span: Span },
): Subscription {
  const { cancellation_details: details, trial_settings: trial, pause_collection: pause } = params;
  const ends = params.cancel_at_period_end;
  const reason = ends ? ('cancellation_requested' as const) : null;
  const { description, default_payment_method, metadata } = params;
  return {
    ...patched(before, { description, default_payment_method, metadata }),
    ...(ends !== undefined && {
      cancel_at: ends ? span.end : null,
      cancel_at_period_end: ends,
      canceled_at: ends ? now : null,
    }),
    cancellation_details: {
      ...detailsOf(before),
      ...defined(details ?? {}),
      ...(ends !== undefined && { reason }),
    },
    ...(trial && {
      trial_settings: {
        end_behavior: {
          ...TRIAL_END,
          ...before.trial_settings?.end_behavior,
          ...defined(trial.end_behavior),
        },
      },
    }),
    ...(pause !== undefined && { pause_collection: pause && { ...pause, resumes_at: null } }),
  };
}

/** Whether the billing cycle begins again: with another interval, from free to paid, out of a trial. */
function startsAnew(
  account: Account,
  before: Subscription,
  after: readonly SubscriptionItem[],
  params: UpdateSubscriptionParams,
): boolean {
  const [old, now] = [intervalOf(before.items.data), intervalOf(after)];
  const free = (items: readonly SubscriptionItem[]) =>
    items.every(({ price }) => dearestUnit(account, price) === 0n);
  if (before.status === 'trialing') return params.trial_end === 'now';
  return (
    old.interval !== now.interval ||
    old.interval_count !== now.interval_count ||
    (free(before.items.data) && !free(after))
  );
}

/** Begins a period now and bills it at once. */
function startAnew(
  account: Account,
  before: Subscription,
  changes: readonly ItemChange[],
  { proration_behavior: behavior }: UpdateSubscriptionParams,
): Invoice | undefined {
  const { now } = account.customer(before.customer);
  const leavesTrial = before.status === 'trialing';
  const old = leavesTrial ? [] : changes.flatMap(({ before: item }) => item ?? []);
  if (behavior !== 'none') for (const item of old) creditUnused(account, before, item, { at: now });
  // Without prorations a price that goes bills nothing more, as within a period.
  const stays = (item: SubscriptionItem) =>
    changes.some(({ before: had, after }) => had?.id === item.id && after?.price.id === item.price.id);
  const counted = behavior === 'none' ? old.filter(stays) : old;
  const usage = unbilledUsage(account, counted, now, (item) => endsCounting(item, changes));
  const changed = account.tables.subscriptions.one(before.id);
  account.unschedule(before.id, 'trial_will_end');
  const fields = {
    billing_cycle_anchor: now,
    ...(leavesTrial && { status: 'active' as const, trial_end: now }),
  };
  const invoice = beginPeriod(account, changed, fields, {
    reason: 'subscription_update',
    usage,
    autoAdvance: true,
  });
  const begun = account.tables.subscriptions.one(before.id);
  if (begun.cancel_at_period_end)
    account.tables.subscriptions.change(before.id, { cancel_at: spanOf(begun).end });
  return invoice;
}

/** A change within a trial costs nothing; the trial's end may move, and the anchor with it. */
function moveTrial(
  account: Account,
  id: string,
  { trial_end: trialEnd }: UpdateSubscriptionParams,
): undefined {
  if (typeof trialEnd !== 'number') return;
  const { tables } = account;
  const subscription = tables.subscriptions.one(id);
  const { now } = account.customer(subscription.customer);
  trialEndOf({ trial_end: trialEnd }, now);
  const items = withSpan(subscription.items.data, { start: spanOf(subscription).start, end: trialEnd });
  for (const item of items) tables.items.change(item.id, { usageFrom: trialEnd });
  const moved = tables.subscriptions.change(id, {
    items: { ...subscription.items, data: items },
    billing_cycle_anchor: trialEnd,
    trial_end: trialEnd,
    ...(subscription.cancel_at_period_end && { cancel_at: trialEnd }),
  });
  account.schedule('end_period', moved, trialEnd);
  announceTrialEnd(account, moved);
}
