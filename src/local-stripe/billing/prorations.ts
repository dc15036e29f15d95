/** Prorations: credits for time that will not be used, charges for what is left, and usage so far. */
import { ONE } from '../money/decimal.js';
import { EXACT_CENT } from '../money/price-lines.js';
import { prorateExact } from '../money/prorate.js';
import type { Account } from '../state/account.js';
import type { UsageSegment } from '../state/rows.js';
import type { Invoice, InvoiceItem, InvoiceLine, Subscription, SubscriptionItem } from '../state/tables.js';
import { billedLines, coverOf, invoiceOf, withCredit } from './cover.js';
import { chargesOf, productName, toNumber, usageLines } from './lines.js';
import { createInvoiceItem, parentOf } from './pending-items.js';

/** The credit for the time of an item that was billed and will not be used; none where nothing was billed. */
export function creditUnused(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  { at, parent = parentOf(item) }: { at: number; parent?: InvoiceItem['parent'] },
): void {
  const { items, prices } = account.tables;
  const { billed: all } = items.one(item.id);
  const billed = coverOf(account, all);
  if (!all || !billed || billed.end <= at) return;
  const invoice = invoiceOf(account, billed);
  const price = prices.one(billed.price);
  const start = Math.max(at, billed.start);
  const share = { part: billed.end - start, whole: billed.end - billed.start };
  const credit = createInvoiceItem(account, {
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
  items.change(item.id, { billed: withCredit(all, billed, credit.id) });
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
  const { billed: before } = account.tables.items.one(item.id);
  account.tables.items.change(item.id, { billed: { amount, start: at, end, ...facts, before } });
}

/** Bills a segment of usage whose price is about to go, one invoice item for each tier. */
export function billSegment(
  account: Account,
  { customer, id }: Subscription,
  item: SubscriptionItem,
  segment: UsageSegment,
): void {
  for (const line of usageLines(account, customer, segment, id)) {
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
