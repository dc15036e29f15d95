/** Finalization: the figures become final, the number is given, the balance is applied. */
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import { type Invoice, type InvoiceLine, subscriptionOf } from '../state/tables.js';
import { isMetered } from './billing-period.js';
import { changeBalance } from './customer-balance.js';
import { settle, withLines } from './draft-invoice.js';
import { openPayment } from './invoice-payment.js';
import { usageLines } from './lines.js';
import { settled } from './settle-subscription.js';

/**
 * Makes a draft final. One that leaves nothing to pay is paid at once: free, covered by credit, a
 * credit itself, or below Stripe's smallest charge, which then goes onto the customer's balance.
 *
 * @throws ApiError 400 unless it is a draft.
 */
export function finalizeInvoice(account: Account, id: string): Invoice {
  const { invoices, customers } = account.tables;
  const draft = invoices.one(id);
  if (draft.status !== 'draft') {
    throw invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.");
  }
  if (account.isPreview) return draft;
  const { customer, now } = account.customer(draft.customer);
  const counted = withUsage(account, draft);
  const { due, ending } = settle(counted.total, customer.balance);
  const number = `${customer.invoice_prefix}-${String(customer.next_invoice_sequence).padStart(4, '0')}`;
  customers.change(customer.id, {
    next_invoice_sequence: (customer.next_invoice_sequence ?? 0) + 1,
    currency: counted.currency,
  });
  changeBalance(account, customer.id, {
    amount: ending - customer.balance,
    type: 'applied_to_invoice',
    now,
    invoice: id,
  });
  const open = invoices.put({
    ...counted,
    amount_due: due,
    amount_remaining: due,
    automatically_finalizes_at: null,
    effective_at: now,
    ending_balance: ending,
    hosted_invoice_url: `https://invoice.stripe.com/i/local/${id}`,
    invoice_pdf: `https://pay.stripe.com/invoice/local/${id}/pdf`,
    next_payment_attempt: null,
    number,
    status: 'open',
    status_transitions: { ...counted.status_transitions, finalized_at: now },
  });
  account.unschedule(id, 'finalize');
  if (due > 0) {
    account.emit('invoice.finalized', open);
    openPayment(account, open, now);
    if (open.due_date !== null) account.schedule('pass_due_date', open, open.due_date);
    return open;
  }
  const paid = invoices.put({
    ...open,
    attempted: true,
    auto_advance: false,
    status: 'paid',
    status_transitions: { ...open.status_transitions, paid_at: now },
  });
  for (const type of ['invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded']) {
    account.emit(type, paid);
  }
  settled(account, paid);
  return paid;
}

/** The draft with its usage added up once more: events may have come since it was made. */
function withUsage(account: Account, draft: Invoice): Invoice {
  const { segments = [] } = account.tables.usageSegments.get(draft.id) ?? {};
  const subscription = subscriptionOf(draft) ?? '';
  const other = draft.lines.data.filter((line) => !isUsage(account, line));
  const usage = segments.flatMap((segment) => usageLines(account, draft.customer, segment, subscription));
  return withLines(account, draft, [...other, ...usage]);
}

/** Whether a line bills the usage of a segment; one that came by an invoice item is fixed. */
function isUsage(account: Account, { parent, pricing }: InvoiceLine): boolean {
  const details = parent?.subscription_item_details;
  const price = account.tables.prices.get(pricing?.price_details?.price);
  return details?.invoice_item === null && price !== undefined && isMetered(price);
}
