/** Collecting what an open invoice has due: by card, again after a failure, or outside of Stripe. */
import { type ApiError, invalid, unsupported } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import { type Invoice, type PaymentMethod, subscriptionOf } from '../state/tables.js';
import { isReplaced } from './cover.js';
import { endSubscription } from './end-subscription.js';
import { cancelPayment, intentOf, recordCharge } from './invoice-payment.js';
import { paymentMethodOf } from './payment-method.js';
import { settleCredits } from './settle-credits.js';
import { changeStatus, isDecisive, settled } from './settle-subscription.js';
import { cardError, declineOf, HARD_DECLINES } from './test-cards.js';
import { stopCollecting } from './write-off.js';

const DAY = 86_400;

export interface Attempt {
  /** Tried by the schedule; a try by a call does not count, except for the first. */
  readonly automatic: boolean;
  /** A method in place of the invoice's. */
  readonly method?: PaymentMethod | undefined;
}

/**
 * One attempt to collect an open invoice. A failure is kept: it is counted, put on the schedule of
 * retries, and told to the subscription.
 *
 * @returns the error of a failed attempt, for a call to answer
 */
export function collectPayment(
  account: Account,
  id: string,
  { automatic, method }: Attempt,
): ApiError | undefined {
  const invoice = account.tables.invoices.one(id);
  const { now } = account.customer(invoice.customer);
  const payer = method ?? paymentMethodOf(account, invoice);
  if (!payer) {
    recordFailure(account, invoice, { automatic });
    const message = 'There is no default_payment_method set on this Customer or Invoice.';
    return invalid(message, undefined, 'resource_missing');
  }
  const intent = intentOf(account, invoice);
  const last = intent.last_payment_error?.decline_code ?? '';
  if (automatic && HARD_DECLINES.has(last) && intent.payment_method === payer.id) {
    recordFailure(account, invoice, { automatic, silent: true });
    return undefined;
  }
  const decline = declineOf(account, payer, now);
  const charge = recordCharge(account, intent, { method: payer, decline, now });
  if (decline) {
    recordFailure(account, invoice, { automatic });
    return cardError(decline, charge.id);
  }
  const { invoicePayments } = account.tables;
  for (const payment of invoicePayments.by('invoice', id)) {
    const paid = invoicePayments.change(payment.id, {
      amount_paid: invoice.amount_due,
      status: 'paid',
      status_transitions: { canceled_at: null, paid_at: now },
    });
    account.emit('invoice_payment.paid', paid);
  }
  markPaid(account, invoice, { attempts: countAttempt(invoice, automatic), events: PAID_BY_CARD });
  return undefined;
}

const PAID_BY_CARD = ['invoice.paid', 'invoice.payment_succeeded'];

/** Payment that came another way: nothing is charged. */
export function markPaidOutOfBand(account: Account, id: string): void {
  const invoice = account.tables.invoices.one(id);
  cancelPayment(account, invoice, account.customer(invoice.customer).now);
  markPaid(account, invoice, { attempts: invoice.attempt_count, events: ['invoice.paid'], outOfBand: true });
}

function markPaid(
  account: Account,
  before: Invoice,
  { attempts, events, outOfBand = false }: { attempts: number; events: string[]; outOfBand?: boolean },
): void {
  const { now } = account.customer(before.customer);
  const paid = account.tables.invoices.put({
    ...before,
    amount_paid: before.amount_due,
    ...(outOfBand && { amount_paid_off_stripe: before.amount_due }),
    amount_remaining: 0,
    attempt_count: attempts,
    attempted: !outOfBand || before.attempted,
    auto_advance: false,
    next_payment_attempt: null,
    status: 'paid',
    status_transitions: { ...before.status_transitions, paid_at: now },
  });
  stopCollecting(account, before.id);
  account.tables.customers.change(before.customer, { delinquent: false });
  account.emit('invoice.updated', paid, { before });
  for (const type of events) account.emit(type, paid);
  if (before.status === 'uncollectible') settleCredits(account, paid);
  settled(account, paid);
}

function countAttempt({ attempt_count: count }: Invoice, automatic: boolean): number {
  return automatic || count === 0 ? count + 1 : count;
}

function recordFailure(
  account: Account,
  before: Invoice,
  { automatic, silent = false }: { automatic: boolean; silent?: boolean },
): void {
  const { now } = account.customer(before.customer);
  const { retryDays } = account.settings;
  const attempts = countAttempt(before, automatic);
  const subscription = account.tables.subscriptions.get(subscriptionOf(before));
  const retried = before.auto_advance;
  const counted = automatic || before.attempt_count === 0;
  const [earlier = 0, later] = [retryDays[attempts - 2], retryDays[attempts - 1]];
  const next = later === undefined || !retried ? null : now + (later - earlier) * DAY;
  const failed = account.tables.invoices.put({
    ...before,
    attempt_count: attempts,
    attempted: true,
    ...(counted && { next_payment_attempt: next }),
  });
  if (counted && next !== null) account.schedule('retry', before, next);
  account.emit('invoice.updated', failed, { before });
  if (!silent) account.emit('invoice.payment_failed', failed);
  account.tables.customers.change(before.customer, { delinquent: true });
  if (!subscription) return;
  const decides = isDecisive(account, subscription, before.id);
  if (decides && subscription.status === 'active') changeStatus(account, subscription, 'past_due');
  if (counted && retried && next === null) giveUp(account, subscription.id);
}

/** After the last retry the account's setting decides; what has ended stays as it ended. */
function giveUp(account: Account, id: string): void {
  const subscription = account.tables.subscriptions.one(id);
  if (subscription.ended_at !== null) return;
  const { endOfRetries } = account.settings;
  switch (endOfRetries) {
    case 'canceled':
      endSubscription(account, subscription, { reason: 'payment_failed' });
      return;
    case 'unpaid':
      changeStatus(account, subscription, 'unpaid');
      return;
    case 'past_due':
      return;
    default:
      endOfRetries satisfies never;
  }
}

/** @throws ApiError 400 unless the invoice can be paid. */
export function checkPayable(account: Account, invoice: Invoice): void {
  if (invoice.status === 'paid') throw invalid('Invoice is already paid');
  // A negative last invoice was written off without having been final: it has nothing to pay.
  const isCredit = invoice.status === 'uncollectible' && invoice.amount_remaining === 0;
  if (invoice.status === 'void' || isCredit) {
    throw invalid("You can only pass in open invoices. This invoice isn't open.");
  }
  if (invoice.status === 'uncollectible' && isReplaced(account, invoice)) {
    throw unsupported('Payment of an uncollectible invoice whose time was changed since');
  }
}
