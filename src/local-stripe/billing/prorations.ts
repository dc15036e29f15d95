/** Prorations: credits for time that will not be used, charges for what is left, and usage so far. */
import { ONE } from '../money/decimal.js';
import { EXACT_CENT } from '../money/price-lines.js';
import { prorateExact } from '../money/prorate.js';
import type { Account } from '../state/account.js';
import type { Invoice, InvoiceItem, InvoiceLine, Subscription, SubscriptionItem } from '../state/tables.js';
import { billedLines } from './billing-period.js';
import { createInvoiceItem, parentOf } from './invoice-items.js';
import { chargesOf, productName, toNumber, usageLines } from './lines.js';

/** The credit for the time of an item that was billed and will not be used; none where nothing was billed. */
export function creditUnused(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  { at, parent = parentOf(item) }: { at: number; parent?: InvoiceItem['parent'] },
): void {
  const { items, invoiceItems, invoices, prices } = account.tables;
  const { billed } = items.one(item.id);
  if (!billed || billed.end <= at) return;
  const invoice = invoices.get(billed.invoice ?? invoiceItems.get(billed.invoiceItem)?.invoice);
  if (isWrittenOff(invoice)) return;
  const price = prices.one(billed.price);
  const start = Math.max(at, billed.start);
  const share = { part: billed.end - start, whole: billed.end - billed.start };
  createInvoiceItem(account, {
    customer: subscription.customer,
    amount: toNumber(prorateExact(BigInt(-billed.amount) * EXACT_CENT, share)),
    description: `Unused time on ${counted(billed.quantity)}${productName(account, price)} after ${dateOf(at)}`,
    period: { start, end: billed.end },
    price,
    quantity: billed.quantity,
    parent,
    proration: {
      credited_items: invoice ? creditedItems(invoice, billedLines(invoice, item.id, billed)) : null,
      discount_amounts: [],
    },
  });
}

/** What was not paid for is not given back. */
function isWrittenOff(invoice: Invoice | undefined): boolean {
  return invoice?.status === 'void' || invoice?.status === 'uncollectible';
}

/** An invoice will not be paid after all: credits that were given for its time are charged again. */
export function takeBackCredits(account: Account, { id, customer }: Invoice): void {
  const { invoiceItems, invoices, prices } = account.tables;
  for (const credit of invoiceItems.by('customer', customer as string)) {
    const credited = credit.proration_details?.credited_items?.invoice_line_item_details?.invoice;
    if (credited !== id || isWrittenOff(invoices.get(credit.invoice))) continue;
    const price = prices.get(credit.pricing?.price_details?.price);
    createInvoiceItem(account, {
      customer: credit.customer,
      amount: -credit.amount,
      description: `${credit.description}: taken back, its invoice was not paid`,
      period: credit.period,
      parent: credit.parent,
      ...(price && { price }),
      quantity: credit.quantity,
      proration: { credited_items: null, discount_amounts: [] },
    });
  }
}

/** The charge for the rest of a period under a new price or quantity. */
export function chargeRemaining(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  { at, end, whole }: { at: number; end: number; whole: number },
): void {
  const quantity = item.quantity ?? 1;
  const exact = chargesOf(account, item.price, BigInt(quantity) * ONE).reduce(
    (sum, charge) => sum + charge.exact,
    0n,
  );
  const amount = toNumber(prorateExact(exact, { part: end - at, whole }));
  const made = createInvoiceItem(account, {
    customer: subscription.customer,
    amount,
    description: `Remaining time on ${counted(quantity)}${productName(account, item.price)} after ${dateOf(at)}`,
    period: { start: at, end },
    price: item.price,
    quantity,
    parent: parentOf(item),
    proration: { credited_items: null, discount_amounts: [] },
  });
  const facts = { price: item.price.id, quantity, invoice: null, invoiceItem: made.id };
  account.tables.items.change(item.id, { billed: { amount, start: at, end, ...facts } });
}

/** Bills the usage of a metered item so far, one item for each tier: its price is about to go. */
export function billUsageSoFar(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  at: number,
): void {
  const { usageFrom } = account.tables.items.one(item.id);
  if (usageFrom >= at) return;
  const customer = subscription.customer;
  const segment = { item: item.id, price: item.price.id, from: usageFrom, to: at };
  for (const line of usageLines(account, customer, segment, subscription.id)) {
    createInvoiceItem(account, {
      customer,
      amount: line.amount,
      description: line.description,
      period: line.period,
      price: item.price,
      quantity: line.quantity ?? 0,
      parent: parentOf(item),
    });
  }
}

function creditedItems(invoice: Invoice, lines: readonly InvoiceLine[]) {
  return {
    type: 'invoice_line_items' as const,
    invoice_line_item_details: { invoice: invoice.id, invoice_line_items: lines.map(({ id }) => id) },
  };
}

function counted(quantity: number): string {
  return quantity === 1 ? '' : `${quantity} × `;
}

/** `11 Oct 2026` */
function dateOf(seconds: number): string {
  return new Date(seconds * 1_000).toUTCString().slice('Sun, '.length, 'Sun, 11 Oct 2026'.length);
}
