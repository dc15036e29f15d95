/** Credits and the fate of invoices: a credit stands as long as what it gives back was paid. */
import type { Account } from '../state/account.js';
import type { Invoice, InvoiceItem } from '../state/tables.js';
import { isWrittenOff } from './cover.js';
import { createInvoiceItem, deleteInvoiceItem } from './pending-items.js';

/**
 * An invoice was written off, or paid after that. Credits for its time, and credits and corrections
 * that stand on it, are brought to what they must be, so that the order of such events does not matter.
 */
export function settleCredits(account: Account, { id, customer }: Invoice): void {
  const { invoiceItems } = account.tables;
  for (const credit of invoiceItems.by('customer', customer)) {
    const corrections = correctionsOf(account, credit);
    const touched = [credit.invoice, creditedBy(credit), ...corrections.map(({ invoice }) => invoice)];
    if (creditedBy(credit) && touched.includes(id)) correct(account, credit, corrections);
  }
}

/** Charges again a credit for an invoice that is written off; not one that is itself written off. */
function correct(account: Account, credit: InvoiceItem, corrections: readonly InvoiceItem[]): void {
  const { corrections: links, invoices, prices } = account.tables;
  const isOff = (invoice: string | null | undefined) => isWrittenOff(invoices.get(invoice));
  const wanted = isOff(creditedBy(credit)) && !isOff(credit.invoice) ? -credit.amount : 0;
  const standing = corrections.filter(({ invoice }) => !isOff(invoice));
  const missing = wanted - standing.reduce((sum, { amount }) => sum + amount, 0);
  if (missing === 0) return;
  const waiting = standing.find(({ invoice, amount }) => invoice === null && amount === -missing);
  if (waiting) {
    deleteInvoiceItem(account, waiting);
    return;
  }
  const price = prices.get(credit.pricing?.price_details?.price);
  const what = missing > 0 ? 'taken back, its invoice was not paid' : 'given again';
  const made = createInvoiceItem(account, {
    customer: credit.customer,
    amount: missing,
    description: `${credit.description}: ${what}`,
    period: credit.period,
    parent: credit.parent,
    ...(price && { price }),
    quantity: credit.quantity,
    proration: { credited_items: null, discount_amounts: [] },
  });
  links.put({ id: made.id, credit: credit.id });
}

function creditedBy({ proration_details: details }: InvoiceItem): string | undefined {
  return details?.credited_items?.invoice_line_item_details?.invoice;
}

function correctionsOf({ tables }: Account, credit: InvoiceItem): InvoiceItem[] {
  return tables.corrections.by('credit', credit.id).flatMap(({ id }) => tables.invoiceItems.get(id) ?? []);
}
