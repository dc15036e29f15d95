/** The end of a subscription. */
import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import { stopCollecting } from './collect-payment.js';

type CancellationDetails = NonNullable<Subscription['cancellation_details']>;

/** Takes a subscription off its clock for good; its open invoices are collected no further by themselves. */
export function endSubscription(
  account: Account,
  before: Subscription,
  {
    reason,
    details = {},
    status = 'canceled',
    place,
  }: {
    reason: CancellationDetails['reason'];
    details?: Partial<CancellationDetails>;
    status?: 'canceled' | 'incomplete_expired';
    place?: number;
  },
): Subscription {
  const { clock, now } = account.customer(before.customer as string);
  const { subscriptions, invoices } = account.tables;
  const cancellation = {
    comment: null,
    feedback: null,
    feedback_option: null,
    ...before.cancellation_details,
  };
  const ended = subscriptions.change(before.id, {
    status,
    canceled_at: before.canceled_at ?? now,
    cancellation_details: { ...cancellation, ...details, reason },
    ended_at: now,
  });
  for (const step of ['end_period', 'trial_will_end', 'expire_incomplete', 'resume_collection'] as const) {
    account.unschedule(step, before.id);
  }
  for (const invoice of invoices.by('subscription', before.id)) {
    if (invoice.status !== 'open') continue;
    stopCollecting(account, invoice.id);
    invoices.change(invoice.id, { auto_advance: false, next_payment_attempt: null });
  }
  const type = status === 'canceled' ? 'customer.subscription.deleted' : 'customer.subscription.updated';
  account.emit(type, ended, {
    clock,
    ...(status !== 'canceled' && { before }),
    ...(place !== undefined && { place }),
  });
  return ended;
}
