/** Cancellation at once: by default it bills nothing. */
import type { z } from 'zod';
import { missing } from '../http/api-error.js';
import { defined } from '../http/patched.js';
import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import { billSubscription } from './bill-subscription.js';
import { spanOf } from './billing-period.js';
import { collectPayment } from './collect-payment.js';
import { endSubscription } from './end-subscription.js';
import { finalizeNow } from './finalize-now.js';
import { deleteInvoiceItem, pendingItems } from './pending-items.js';
import { creditUnused } from './prorations.js';
import type { cancelShape } from './subscription-params.js';
import { unbilledUsage } from './unbilled-usage.js';
import { writeOff } from './write-off.js';

/** `invoice_now` bills what is pending, and usage so far; `prorate` credits the unused time. */
export type CancelParams = z.output<z.ZodObject<typeof cancelShape>>;

export function cancelNow(account: Account, id: string, params: CancelParams): Subscription {
  const { subscriptions } = account.tables;
  const before = subscriptions.one(id);
  if (before.ended_at !== null) throw missing('subscription', id);
  const { now } = account.customer(before.customer);
  if (!params.prorate && !params.invoice_now) dropProrations(account, before);
  // An incomplete subscription has paid for nothing yet.
  if (params.prorate && before.status !== 'trialing' && before.status !== 'incomplete') {
    for (const item of before.items.data) creditUnused(account, before, item, { at: now, parent: null });
  }
  const ended = endSubscription(account, before, {
    reason: 'cancellation_requested',
    details: defined(params.cancellation_details ?? {}),
  });
  if (params.invoice_now) billFinally(account, ended);
  return subscriptions.one(id);
}

/** Prorations that wait go with the subscription; what a call has made waits for the customer's next invoice. */
function dropProrations(account: Account, { id, customer }: Subscription): void {
  for (const item of pendingItems(account, customer, id)) {
    const isOwn = item.parent?.subscription_details?.subscription === id;
    if (isOwn && item.proration) deleteInvoiceItem(account, item);
  }
}

/** The last invoice. One that comes out negative is written off, and the credit does not reach the balance. */
function billFinally(account: Account, subscription: Subscription): void {
  const { now } = account.customer(subscription.customer);
  const draft = billSubscription(account, subscription, {
    reason: 'subscription_cycle',
    usage: unbilledUsage(account, subscription.items.data, now, () => true),
    start: spanOf(subscription).start,
    autoAdvance: false,
  });
  if (!draft) return;
  if (draft.total < 0) writeOff(account, draft, 'uncollectible');
  else if (finalizeNow(account, draft.id).status === 'open') {
    collectPayment(account, draft.id, { automatic: false });
  }
}
