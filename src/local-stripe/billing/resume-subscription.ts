/** A paused subscription begins again, with a new cycle from now. */
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import { licensedLines, noteBilled, periodFrom } from './billing-period.js';
import { withSpan } from './change-subscription.js';
import { collectPayment } from './collect-payment.js';
import { draftInvoice } from './draft-invoice.js';
import { finalizeInvoice } from './finalize-invoice.js';

/** @throws ApiError 402 when the first payment fails: the subscription then stays paused. */
export function resumeSubscription(account: Account, id: string): Subscription {
  const { subscriptions, items: itemRows, invoices } = account.tables;
  const before = subscriptions.one(id);
  if (before.status !== 'paused') throw invalid('Only a paused subscription can be resumed.');
  const { customer, clock, now } = account.customer(before.customer as string);
  const place = account.outbox.length;
  const { period } = periodFrom(now, before.items.data, now);
  const items = withSpan(before.items.data, period);
  for (const item of items) itemRows.change(item.id, { usageFrom: now });
  const resumed = subscriptions.change(id, {
    items: { ...before.items, data: items },
    billing_cycle_anchor: now,
    status: 'active',
  });
  account.schedule('end_period', id, { clock, at: period.end });
  const lines = licensedLines(account, items, { period });
  if (lines.length > 0) {
    const draft = draftInvoice(account, {
      customer,
      clock,
      now,
      subscription: resumed,
      reason: 'subscription_cycle',
      lines,
      period,
      autoAdvance: false,
    });
    noteBilled(account, invoices.one(draft.id), items, period);
    const open = finalizeInvoice(account, draft.id).status === 'open';
    const error = open && collectPayment(account, draft.id, { automatic: false });
    if (error) throw error;
  }
  const after = subscriptions.one(id);
  account.emit('customer.subscription.resumed', after, { clock, place });
  return after;
}
