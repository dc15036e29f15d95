/** What covers an item's time: the charge that was, or will be, paid for it and was not given back. */
import type { Account } from '../state/account.js';
import type { Billed } from '../state/rows.js';
import { type Invoice, type InvoiceLine, type SubscriptionItem, subscriptionOf } from '../state/tables.js';
import { isMetered } from './billing-period.js';
import type { Span } from './lines.js';

/** Notes for later credits that an invoice covers the items' time. */
export function noteBilled(
  account: Account,
  invoice: Invoice,
  items: readonly SubscriptionItem[],
  period: Span,
): void {
  for (const { id, price, quantity = 1 } of items) {
    if (isMetered(price)) continue;
    const facts = { price: price.id, quantity, invoice: invoice.id, invoiceItem: null };
    const amount = billedLines(invoice, id, facts).reduce((sum, line) => sum + line.amount, 0);
    const { billed: old } = account.tables.items.one(id);
    const before = old && old.end > period.start ? old : null;
    account.tables.items.change(id, { billed: { ...period, ...facts, amount, before } });
  }
}

/** The lines of an invoice that charge an item's time; others of the same item may bill its usage. */
export function billedLines(
  { lines }: Invoice,
  item: string,
  { price, invoiceItem }: Pick<Billed, 'price' | 'invoiceItem'>,
): InvoiceLine[] {
  return lines.data.filter(({ parent, pricing }) => {
    const details = parent?.subscription_item_details;
    const isOf = details?.subscription_item === item && details.invoice_item === invoiceItem;
    return isOf && pricing?.price_details?.price === price;
  });
}

/** The newest charge that counts; when it is written off with its credit, the charge before it counts again. */
export function coverOf(account: Account, billed: Billed | null | undefined): Billed | undefined {
  if (!billed) return undefined;
  return isPaidFor(account, billed) && !isGivenBack(account, billed)
    ? billed
    : coverOf(account, billed.before);
}

/** The invoice that charged a time; none while its invoice item waits. */
export function invoiceOf({ tables }: Account, { invoice, invoiceItem }: Billed): Invoice | undefined {
  return tables.invoices.get(invoice ?? tables.invoiceItems.get(invoiceItem)?.invoice);
}

/** Void, or uncollectible: not paid. */
export function isWrittenOff(invoice: Invoice | undefined): boolean {
  return invoice?.status === 'void' || invoice?.status === 'uncollectible';
}

/** A billed time with one more credit of one of its charges. */
export function withCredit(billed: Billed, cover: Billed, credit: string): Billed {
  if (billed === cover) return { ...billed, credits: [...(billed.credits ?? []), credit] };
  return billed.before ? { ...billed, before: withCredit(billed.before, cover, credit) } : billed;
}

/**
 * Whether the payment of an uncollectible invoice would come too late: its time was replaced, or an
 * earlier one credited instead, because it was not paid.
 */
export function isReplaced(account: Account, invoice: Invoice): boolean {
  const items = account.tables.items.by('subscription', subscriptionOf(invoice) ?? '');
  return items.some(({ billed }) => {
    for (let link = billed; link; link = link.before ?? null) {
      const { credits = [] } = link;
      const isOn = (credit: string) => account.tables.invoiceItems.get(credit)?.invoice === invoice.id;
      if (credits.length > 1 && credits.some(isOn)) return true;
      if (link !== billed && credits.length === 0 && invoiceOf(account, link)?.id === invoice.id) return true;
    }
    return false;
  });
}

/** An open invoice counts as paid, as at Stripe; a draft that an unpaid subscription keeps back does not. */
function isPaidFor(account: Account, billed: Billed): boolean {
  const invoice = invoiceOf(account, billed);
  if (!invoice) return true;
  const subscription = account.tables.subscriptions.get(subscriptionOf(invoice));
  return !isWrittenOff(invoice) && !(invoice.status === 'draft' && subscription?.status === 'unpaid');
}

function isGivenBack({ tables }: Account, { credits = [] }: Billed): boolean {
  return credits.some((id) => {
    const credit = tables.invoiceItems.get(id);
    return credit && !isWrittenOff(tables.invoices.get(credit.invoice));
  });
}
