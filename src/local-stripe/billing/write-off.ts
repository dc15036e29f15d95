/** Invoices that will not be paid: void, or uncollectible. */
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { Invoice } from '../state/tables.js';
import { changeBalance } from './customer-balance.js';
import { cancelPayment } from './invoice-payment.js';
import { settleCredits } from './settle-credits.js';
import { settled } from './settle-subscription.js';

/** As if it had never been: what it took from the customer's balance, or put there, goes back. */
export function voidInvoice(account: Account, id: string): Invoice {
  const before = account.tables.invoices.one(id);
  if (before.status === 'paid') throw invalid('Invoices with `paid` payments cannot be voided.');
  if (before.status !== 'uncollectible') checkOpen(before);
  const { customer, now } = account.customer(before.customer);
  changeBalance(account, customer.id, {
    // A negative last invoice was never final: it has taken nothing, and put nothing there.
    amount: before.starting_balance - (before.ending_balance ?? before.starting_balance),
    type: 'unapplied_from_invoice',
    now,
    invoice: id,
  });
  cancelPayment(account, before, now);
  const invoice = writeOff(account, before, 'void');
  settleCredits(account, invoice);
  return invoice;
}

/** Bad debt: it may still be paid, and for its subscription it is settled. */
export function markUncollectible(account: Account, id: string): Invoice {
  const before = account.tables.invoices.one(id);
  if (before.status === 'uncollectible') throw invalid('This invoice has already been marked uncollectible.');
  checkOpen(before);
  const invoice = writeOff(account, before, 'uncollectible');
  settleCredits(account, invoice);
  settled(account, invoice);
  return invoice;
}

/** Its customer is going: nothing more is collected of it by itself, and a draft is void. */
export function abandonInvoice(account: Account, invoice: Invoice): void {
  if (invoice.status === 'draft') writeOff(account, invoice, 'void');
  if (invoice.status === 'open') leaveOpen(account, invoice.id);
}

/** Nothing more is collected of it by itself. */
export function leaveOpen(account: Account, id: string): Invoice {
  stopCollecting(account, id);
  const none = { automatically_finalizes_at: null, next_payment_attempt: null };
  return account.tables.invoices.change(id, { auto_advance: false, ...none });
}

/** Takes an invoice off the clock. */
export function stopCollecting(account: Account, id: string): void {
  account.unschedule(id, 'finalize', 'retry', 'pass_due_date');
}

/** The end of an invoice that was not paid. */
export function writeOff(
  account: Account,
  { id, customer }: Invoice,
  status: 'void' | 'uncollectible',
): Invoice {
  const { now } = account.customer(customer);
  const time = status === 'void' ? { voided_at: now } : { marked_uncollectible_at: now };
  const { status_transitions: transitions } = leaveOpen(account, id);
  const after = { status, status_transitions: { ...transitions, ...time } };
  const invoice = account.tables.invoices.change(id, after);
  account.emit(status === 'void' ? 'invoice.voided' : 'invoice.marked_uncollectible', invoice);
  return invoice;
}

function checkOpen({ status }: Invoice): void {
  if (status !== 'open') throw invalid("You can only pass in open invoices. This invoice isn't open.");
}
