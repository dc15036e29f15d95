/** The end of a subscription. */
import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import { leaveOpen } from './write-off.js';

type CancellationDetails = NonNullable<Subscription['cancellation_details']>;

export interface End {
  readonly reason: CancellationDetails['reason'];
  readonly details?: Partial<CancellationDetails>;
  readonly status?: 'canceled' | 'incomplete_expired';
}

/** Takes a subscription off its clock for good; its open invoices are collected no further by themselves. */
export function endSubscription(
  account: Account,
  before: Subscription,
  { reason, details = {}, status = 'canceled' }: End,
): Subscription {
  const { id } = before;
  const { now } = account.customer(before.customer);
  const { subscriptions, invoices } = account.tables;
  const ended = subscriptions.change(id, {
    status,
    canceled_at: before.canceled_at ?? now,
    cancellation_details: { ...detailsOf(before), ...details, reason },
    ended_at: now,
  });
  account.unschedule(id, 'end_period', 'trial_will_end', 'expire_incomplete');
  for (const invoice of invoices.by('subscription', id)) {
    if (invoice.status === 'open') leaveOpen(account, invoice.id);
  }
  if (status === 'canceled') account.emit('customer.subscription.deleted', ended);
  else account.emit('customer.subscription.updated', ended, { before });
  return ended;
}

/** What a subscription says of its end, which is nothing at first. */
export function detailsOf({ cancellation_details: details }: Subscription): CancellationDetails {
  return { comment: null, feedback: null, feedback_option: null, reason: null, ...details };
}
