/** A paused subscription begins again, with a new cycle from now. */

import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import { beginPeriod } from './begin-period.js';
import { collectPayment } from './collect-payment.js';
import { finalizeInvoice } from './finalize-invoice.js';

/** @throws ApiError 402 when the first payment fails: the subscription then stays paused. */
export function resumeSubscription(account: Account, id: string): Subscription {
  const { subscriptions } = account.tables;
  const before = subscriptions.one(id);
  if (before.status !== 'paused') throw invalid('Only a paused subscription can be resumed.');
  const { now } = account.customer(before.customer);
  const place = account.outbox.length;
  const fields = { billing_cycle_anchor: now, status: 'active' as const };
  const draft = beginPeriod(account, before, fields, { reason: 'subscription_cycle', autoAdvance: false });
  const open = draft && finalizeInvoice(account, draft.id).status === 'open';
  const error = open && collectPayment(account, draft.id, { automatic: false });
  if (error) throw error;
  const after = subscriptions.one(id);
  account.emit('customer.subscription.resumed', after, { place });
  return after;
}
