/** The first invoice of a subscription. */
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import { type Invoice, type Subscription, subscriptionOf } from '../state/tables.js';
import { licensedLines, type periodFrom, spanOf } from './billing-period.js';
import { collectPayment } from './collect-payment.js';
import { noteBilled } from './cover.js';
import { draftInvoice } from './draft-invoice.js';
import { finalizeInvoice } from './finalize-invoice.js';
import { paymentMethodOf } from './payment-method.js';
import { pendingItems } from './pending-items.js';
import type { CreateSubscriptionParams } from './subscription-params.js';

const HOUR = 3_600;
const HOURS_TO_PAY = 23;

/**
 * Bills the first period, if something is billed in advance: a trial with a line of $0, the part up
 * to a later anchor by its share.
 */
export function billBeginning(
  account: Account,
  subscription: Subscription,
  params: CreateSubscriptionParams,
  first: ReturnType<typeof periodFrom>,
): void {
  const isTrial = subscription.status === 'trialing';
  const items = subscription.items.data;
  const period = spanOf(subscription);
  const lines = licensedLines(account, items, isTrial ? { period, trial: true } : first);
  if (lines.length === 0) return;
  const { customer, start_date: now } = subscription;
  const isSent = subscription.collection_method === 'send_invoice' && !isTrial;
  const invoice = draftInvoice(account, {
    customer,
    subscription,
    reason: 'subscription_create',
    lines,
    pending: isTrial ? [] : pendingItems(account, customer, subscription.id),
    period: { start: now, end: now },
    autoAdvance: isSent,
  });
  if (!isTrial) noteBilled(account, invoice, items, period);
  if (!isSent) collectFirst(account, invoice, params);
}

/** The first invoice is final and charged within the call. */
function collectFirst(
  account: Account,
  draft: Invoice,
  { payment_behavior: behavior }: CreateSubscriptionParams,
): void {
  const invoice = finalizeInvoice(account, draft.id);
  if (invoice.status !== 'open') return;
  if (!paymentMethodOf(account, invoice)) {
    const message =
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method.';
    throw invalid(message, undefined, 'resource_missing');
  }
  const error = collectPayment(account, invoice.id, { automatic: false });
  if (!error) return;
  if (behavior === 'error_if_incomplete') throw error;
  const { subscriptions } = account.tables;
  const waiting = subscriptions.change(subscriptionOf(invoice) ?? '', { status: 'incomplete' });
  account.unschedule(waiting.id, 'end_period');
  account.schedule('expire_incomplete', waiting, waiting.created + HOURS_TO_PAY * HOUR);
}
