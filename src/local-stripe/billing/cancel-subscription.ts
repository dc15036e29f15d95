/** Cancellation at once: by default it bills nothing. */

import { ApiError } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import { billSubscription } from './begin-period.js';
import { spanOf, unbilledUsage } from './billing-period.js';
import { collectPayment } from './collect-payment.js';
import { endSubscription } from './end-subscription.js';
import { finalizeInvoice } from './finalize-invoice.js';
import { creditUnused } from './invoice-items.js';

type CancellationDetails = NonNullable<Subscription['cancellation_details']>;

export interface CancelParams {
  /** Bills what is pending, and usage so far. */
  readonly invoice_now?: boolean | undefined;
  /** Credits the unused time. */
  readonly prorate?: boolean | undefined;
  readonly cancellation_details?:
    | {
        readonly comment?: string | null | undefined;
        readonly feedback?: CancellationDetails['feedback'] | undefined;
      }
    | undefined;
}

export function cancelNow(account: Account, id: string, params: CancelParams): Subscription {
  const { subscriptions } = account.tables;
  const before = subscriptions.one(id);
  if (before.ended_at !== null) {
    throw new ApiError(404, `No such subscription: '${id}'`, { code: 'resource_missing', param: 'id' });
  }
  const { now } = account.customer(before.customer as string);
  const items = before.items.data;
  const { comment, feedback } = params.cancellation_details ?? {};
  // An incomplete subscription has paid for nothing yet.
  if (params.prorate && before.status !== 'trialing' && before.status !== 'incomplete') {
    for (const item of items) creditUnused(account, before, item, { at: now, parent: null });
  }
  const ended = endSubscription(account, before, {
    reason: 'cancellation_requested',
    details: { ...(comment !== undefined && { comment }), ...(feedback !== undefined && { feedback }) },
  });
  if (params.invoice_now) billFinally(account, ended);
  return subscriptions.one(id);
}

/** The last invoice. One that comes out negative is written off, and the credit does not reach the balance. */
function billFinally(account: Account, subscription: Subscription): void {
  const { clock, now } = account.customer(subscription.customer);
  const draft = billSubscription(account, subscription, {
    reason: 'subscription_cycle',
    usage: unbilledUsage(account, subscription.items.data, now),
    start: spanOf(subscription).start,
    autoAdvance: false,
  });
  if (!draft) return;
  if (draft.total < 0) {
    const written = account.tables.invoices.change(draft.id, {
      status: 'uncollectible',
      status_transitions: { ...draft.status_transitions, marked_uncollectible_at: now },
    });
    account.emit('invoice.marked_uncollectible', written, { clock });
  } else if (finalizeInvoice(account, draft.id).status === 'open') {
    collectPayment(account, draft.id, { automatic: false });
  }
}
