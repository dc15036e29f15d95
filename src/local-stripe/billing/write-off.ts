/** Invoices that will not be paid: void, or uncollectible. */
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { Invoice } from '../state/tables.js';
import { stopCollecting } from './collect-payment.js';
import { changeBalance } from './customer-balance.js';
import { cancelPayment } from './payments.js';
import { settled } from './settle-subscription.js';

/** As if it had never been: what it took from the customer's balance, or put there, goes back. */
export function voidInvoice(account: Account, id: string): Invoice {
  const before = account.tables.invoices.one(id);
  if (before.status === 'paid') throw invalid('Invoices with `paid` payments cannot be voided.');
  if (before.status !== 'open') throw invalid("You can only pass in open invoices. This invoice isn't open.");
  const { customer, clock, now } = account.customer(before.customer as string);
  changeBalance(account, customer.id, {
    amount: before.starting_balance - (before.ending_balance ?? 0),
    type: 'unapplied_from_invoice',
    now,
    invoice: id,
  });
  cancelPayment(account, before, { clock, now });
  stopCollecting(account, id);
  const invoice = account.tables.invoices.change(id, {
    auto_advance: false,
    next_payment_attempt: null,
    status: 'void',
    status_transitions: { ...before.status_transitions, voided_at: now },
  });
  account.emit('invoice.voided', invoice, { clock });
  return invoice;
}

/** Bad debt: it may still be paid, and for its subscription it is settled. */
export function markUncollectible(account: Account, id: string): Invoice {
  const before = account.tables.invoices.one(id);
  if (before.status === 'uncollectible') throw invalid('This invoice has already been marked uncollectible.');
  if (before.status !== 'open') throw invalid("You can only pass in open invoices. This invoice isn't open.");
  const { clock, now } = account.customer(before.customer as string);
  stopCollecting(account, id);
  const invoice = account.tables.invoices.change(id, {
    auto_advance: false,
    next_payment_attempt: null,
    status: 'uncollectible',
    status_transitions: { ...before.status_transitions, marked_uncollectible_at: now },
  });
  account.emit('invoice.marked_uncollectible', invoice, { clock });
  settled(account, invoice);
  return invoice;
}

/** Its customer is going: nothing more is collected of it by itself, and a draft is void. */
export function abandonInvoice(account: Account, { id, customer, ...before }: Invoice): void {
  const { clock, now } = account.customer(customer as string);
  const { invoices } = account.tables;
  stopCollecting(account, id);
  if (before.status !== 'draft' && before.status !== 'open') return;
  const still = { auto_advance: false, automatically_finalizes_at: null, next_payment_attempt: null };
  if (before.status === 'open') invoices.change(id, still);
  else {
    const status_transitions = { ...before.status_transitions, voided_at: now };
    const invoice = invoices.change(id, { ...still, status: 'void', status_transitions });
    account.emit('invoice.voided', invoice, { clock });
  }
}
