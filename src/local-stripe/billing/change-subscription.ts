/** Changes of a subscription: its items with their prorations, its trial, its end. */

import { periodAround } from '../clock/interval.js';
import { invalid, unsupported } from '../http/api-error.js';
import { mergeMetadata } from '../http/parameters.js';
import { planOf } from '../resources/prices.js';
import type { Account } from '../state/account.js';
import type { Subscription, SubscriptionItem } from '../state/tables.js';
import {
  intervalOf,
  isFree,
  isMetered,
  licensedLines,
  noteBilled,
  periodFrom,
  spanOf,
  unbilledUsage,
} from './billing-period.js';
import { collectPayment } from './collect-payment.js';
import {
  announceTrialEnd,
  checkMethod,
  checkSameIntervals,
  newItem,
  trialEndOf,
} from './create-subscription.js';
import { draftInvoice } from './draft-invoice.js';
import { finalizeInvoice } from './finalize-invoice.js';
import { billUsageSoFar, chargeRemaining, creditUnused, pendingItems } from './invoice-items.js';
import type { LineDraft, Span } from './lines.js';
import type { UpdateSubscriptionParams } from './subscription-params.js';

/** An item before and after: null before it was added, and after it was deleted. */
interface ItemChange {
  readonly before: SubscriptionItem | null;
  readonly after: SubscriptionItem | null;
}

/** Changes a subscription and bills the change as `proration_behavior` says. */
export function changeSubscription(
  account: Account,
  id: string,
  params: UpdateSubscriptionParams,
): Subscription {
  const { tables } = account;
  const before = tables.subscriptions.one(id);
  const { clock, now } = account.customer(before.customer as string);
  checkChangeable(before, params);
  checkMethod(account, before.customer as string, params.default_payment_method);
  const changes = itemChanges(account, before, params, now);
  const data = changes.flatMap(({ after }) => after ?? []);
  checkSameIntervals(data);
  tables.subscriptions.put({
    ...withFields(before, params, { now, span: spanOf(before) }),
    items: { ...before.items, data },
  });
  const { resumes_at: resumesAt } = params.pause_collection ?? {};
  if (params.pause_collection !== undefined) account.unschedule('resume_collection', id);
  if (resumesAt !== undefined)
    account.schedule('resume_collection', id, { clock, at: Math.max(now, resumesAt) });
  const resets = startsAnew(account, before, data, params);
  const invoice = resets
    ? startAnew(account, before, changes, params)
    : before.status === 'trialing'
      ? moveTrial(account, id, params)
      : prorate(account, before, changes, params);
  const place = account.outbox.length - (invoice ? 1 : 0);
  const after = tables.subscriptions.one(id);
  account.emit('customer.subscription.updated', after, { clock, before, place });
  if (
    invoice &&
    finalizeInvoice(account, invoice).status === 'open' &&
    after.collection_method !== 'send_invoice'
  ) {
    const error = collectPayment(account, invoice, { automatic: true });
    if (error && params.payment_behavior === 'error_if_incomplete') throw error;
  }
  return tables.subscriptions.one(id);
}

function checkChangeable(before: Subscription, params: UpdateSubscriptionParams): void {
  const { metadata: _, cancellation_details: __, ...rest } = params;
  if (before.ended_at !== null && Object.values(rest).some((value) => value !== undefined)) {
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.');
  }
  if (before.status === 'incomplete' && params.items)
    throw unsupported('A change of items of an incomplete subscription', 'items');
  if (params.trial_end !== undefined && params.trial_end !== 'now' && before.status !== 'trialing') {
    throw unsupported('A trial for a subscription that has left its trial', 'trial_end');
  }
  const { start, end } = spanOf(before);
  const at = params.proration_date;
  if (at !== undefined && (at < start || at > end)) {
    throw invalid('Cannot specify `proration_date` outside of the current period.', {
      param: 'proration_date',
    });
  }
}

/** What a trial's end does unless it is told otherwise. */
const ANCHOR_NOW = { billing_cycle_anchor: 'now', missing_payment_method: 'create_invoice' } as const;

function withFields(
  before: Subscription,
  params: UpdateSubscriptionParams,
  { now, span }: { now: number; span: Span },
): Subscription {
  const kept = <Value>(given: Value | undefined, old: Value): Value => (given === undefined ? old : given);
  const details = { ...before.cancellation_details, ...params.cancellation_details } as NonNullable<
    Subscription['cancellation_details']
  >;
  const ends = params.cancel_at_period_end;
  const { end_behavior: endBehavior = ANCHOR_NOW } = before.trial_settings ?? {};
  const missing =
    params.trial_settings?.end_behavior.missing_payment_method ?? endBehavior.missing_payment_method;
  return {
    ...before,
    ...(ends !== undefined && {
      cancel_at: ends ? span.end : null,
      cancel_at_period_end: ends,
      canceled_at: ends ? now : null,
    }),
    cancellation_details:
      ends === undefined ? details : { ...details, reason: ends ? 'cancellation_requested' : null },
    default_payment_method: kept(params.default_payment_method, before.default_payment_method),
    description: kept(params.description, before.description),
    metadata: mergeMetadata(before.metadata, params.metadata),
    ...(params.trial_settings && {
      trial_settings: { end_behavior: { ...endBehavior, missing_payment_method: missing } },
    }),
    ...(params.pause_collection !== undefined && {
      pause_collection: params.pause_collection && {
        behavior: params.pause_collection.behavior,
        resumes_at: params.pause_collection.resumes_at ?? null,
      },
    }),
  };
}

function itemChanges(
  account: Account,
  subscription: Subscription,
  { items = [] }: UpdateSubscriptionParams,
  now: number,
): ItemChange[] {
  const { start, end } = spanOf(subscription);
  const kept = subscription.items.data.map((before): ItemChange => {
    const given = items.find(({ id }) => id === before.id);
    if (!given) return { before, after: before };
    if (given.deleted) return { before, after: null };
    const priceId = given.price ?? before.price.id;
    const fresh = newItem(
      account,
      subscription.id,
      { price: priceId, quantity: given.quantity },
      { created: now },
    );
    const { quantity: _, ...rest } = before;
    const quantity = given.quantity ?? before.quantity ?? 1;
    return {
      before,
      after: {
        ...rest,
        price: fresh.price,
        plan: planOf(fresh.price),
        ...(!isMetered(fresh.price) && { quantity }),
        metadata: mergeMetadata(before.metadata, given.metadata),
      },
    };
  });
  const added = items
    .filter(({ id }) => id === undefined)
    .map(({ price, quantity, metadata, deleted }): ItemChange => {
      if (!price || deleted)
        throw invalid('An item without an id is added and needs a price.', { param: 'items' });
      const item = newItem(account, subscription.id, { price, quantity, metadata }, { created: now });
      account.tables.items.put({ id: item.id, subscription: subscription.id, usageFrom: now, billed: null });
      return { before: null, after: { ...item, current_period_start: start, current_period_end: end } };
    });
  for (const { id } of items) {
    if (id !== undefined && !kept.some(({ before }) => before?.id === id)) {
      throw invalid(`No such subscription_item: '${id}'`, {
        code: 'resource_missing',
        param: 'items[0][id]',
      });
    }
  }
  return [...kept, ...added];
}

/** Whether the billing cycle begins again: on request, with another interval, from free to paid, out of a trial. */
function startsAnew(
  account: Account,
  before: Subscription,
  after: readonly SubscriptionItem[],
  params: UpdateSubscriptionParams,
): boolean {
  const [old, now] = [intervalOf(before.items.data), intervalOf(after)];
  const free = (items: readonly SubscriptionItem[]) => items.every(({ price }) => isFree(account, price));
  if (before.status === 'trialing')
    return params.trial_end === 'now' || params.billing_cycle_anchor?.type === 'now';
  return (
    params.billing_cycle_anchor?.type === 'now' ||
    old.interval !== now.interval ||
    old.interval_count !== now.interval_count ||
    (free(before.items.data) && !free(after))
  );
}

/** Begins a period now and bills it at once; gives the draft's id. */
function startAnew(
  account: Account,
  before: Subscription,
  changes: readonly ItemChange[],
  params: UpdateSubscriptionParams,
): string | undefined {
  const { tables } = account;
  const { clock, now } = account.customer(before.customer as string);
  const leavesTrial = before.status === 'trialing';
  if (params.proration_behavior !== 'none' && !leavesTrial) {
    for (const { before: item } of changes) if (item) creditUnused(account, before, item, { at: now });
  }
  const old = changes.flatMap(({ before: item }) => item ?? []);
  const usage = leavesTrial ? [] : unbilledUsage(account, old, now);
  const subscription = tables.subscriptions.one(before.id);
  const { period } = periodFrom(now, subscription.items.data, now);
  const items = withSpan(subscription.items.data, period);
  for (const item of items) tables.items.change(item.id, { usageFrom: now });
  const begun = tables.subscriptions.change(before.id, {
    items: { ...subscription.items, data: items },
    billing_cycle_anchor: now,
    cancel_at: subscription.cancel_at_period_end ? period.end : null,
    status: leavesTrial ? 'active' : subscription.status,
    trial_end: leavesTrial ? now : subscription.trial_end,
  });
  account.unschedule('trial_will_end', before.id);
  account.schedule('end_period', before.id, { clock, at: period.end });
  const invoice = billNow(account, begun, { lines: licensedLines(account, items, { period }), usage });
  if (invoice) noteBilled(account, tables.invoices.one(invoice), items, period);
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
  const { clock, now } = account.customer(subscription.customer as string);
  trialEndOf({ trial_end: trialEnd }, now);
  const items = withSpan(subscription.items.data, { start: spanOf(subscription).start, end: trialEnd });
  for (const item of items) tables.items.change(item.id, { usageFrom: trialEnd });
  const moved = tables.subscriptions.change(id, {
    items: { ...subscription.items, data: items },
    billing_cycle_anchor: trialEnd,
    trial_end: trialEnd,
  });
  account.schedule('end_period', id, { clock, at: trialEnd });
  announceTrialEnd(account, moved, { clock, now, trialEnd });
}

/** Credits and charges for the rest of the period; gives the draft's id when they are billed now. */
function prorate(
  account: Account,
  before: Subscription,
  changes: readonly ItemChange[],
  { proration_behavior: behavior = 'create_prorations', proration_date: date }: UpdateSubscriptionParams,
): string | undefined {
  const { now } = account.customer(before.customer as string);
  const at = date ?? now;
  const changed = changes.filter(
    ({ before: old, after }) => old?.price.id !== after?.price.id || old?.quantity !== after?.quantity,
  );
  const [first] = before.items.data;
  const whole = periodAround(
    before.billing_cycle_anchor,
    intervalOf(before.items.data),
    first?.current_period_start ?? at,
  );
  for (const { before: old, after } of changed) {
    if (old && behavior !== 'none') {
      if (isMetered(old.price)) billUsageSoFar(account, before, old, at);
      else creditUnused(account, before, old, { at });
    }
    if (after && isMetered(after.price)) {
      account.tables.items.change(after.id, { usageFrom: at, billed: null });
    } else if (after && behavior !== 'none') {
      const rest = { at, end: after.current_period_end, whole: whole.end - whole.start };
      chargeRemaining(account, before, after, rest);
    }
  }
  return behavior === 'always_invoice' && changed.length > 0
    ? billNow(account, account.tables.subscriptions.one(before.id), {})
    : undefined;
}

/** A draft of what is pending and these lines; none when there is nothing. */
function billNow(
  account: Account,
  subscription: Subscription,
  { lines = [], usage = [] }: { lines?: LineDraft[]; usage?: ReturnType<typeof unbilledUsage> },
): string | undefined {
  const { customer, clock, now } = account.customer(subscription.customer as string);
  const pending = pendingItems(account, customer.id, subscription.id);
  if (lines.length + usage.length + pending.length === 0) return undefined;
  return draftInvoice(account, {
    customer,
    clock,
    now,
    subscription,
    reason: 'subscription_update',
    lines,
    usage,
    pending,
    period: { start: spanOf(subscription).start, end: now },
    autoAdvance: true,
  }).id;
}

export function withSpan(items: readonly SubscriptionItem[], { start, end }: Span): SubscriptionItem[] {
  return items.map((item) => ({ ...item, current_period_start: start, current_period_end: end }));
}
