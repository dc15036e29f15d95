/** Invoice items: amounts that wait for the next invoice. */
import { ONE } from '../money/decimal.js';
import { prorateExact } from '../money/prorate.js';
import type { Account } from '../state/account.js';
import type { Billed } from '../state/rows.js';
import { nulls } from '../state/stored.js';
import type { InvoiceItem, Price, Subscription, SubscriptionItem } from '../state/tables.js';
import { chargesOf, exactCents, productName, type Span, toNumber, usageLines } from './lines.js';

export interface InvoiceItemFacts {
  readonly customer: string;
  readonly amount: number;
  readonly description: string | null;
  readonly period?: Span;
  readonly price?: Price;
  readonly quantity?: number;
  readonly parent?: InvoiceItem['parent'];
  readonly proration?: InvoiceItem['proration_details'];
  readonly metadata?: Record<string, string>;
  /** A draft that it goes on at once. */
  readonly invoice?: string | null;
}

/** Makes an invoice item and tells of it. */
export function createInvoiceItem(account: Account, facts: InvoiceItemFacts): InvoiceItem {
  const { customer, clock, now } = account.customer(facts.customer);
  const { quantity = 1, price, proration, period = { start: now, end: now } } = facts;
  const item = account.tables.invoiceItems.put({
    id: account.newId('ii'),
    object: 'invoiceitem',
    amount: facts.amount,
    currency: 'usd',
    customer: customer.id,
    date: now,
    description: facts.description,
    discountable: !proration,
    discounts: [],
    invoice: facts.invoice ?? null,
    livemode: false,
    metadata: facts.metadata ?? {},
    net_amount: facts.amount,
    parent: facts.parent ?? null,
    period,
    pricing: {
      ...(price && { price_details: { price: price.id, product: price.product } }),
      type: 'price_details',
      unit_amount_decimal: proration || quantity !== 1 ? null : String(facts.amount),
    },
    proration: proration !== undefined,
    ...(proration && { proration_details: proration }),
    quantity,
    quantity_decimal: String(quantity),
    tax_rates: [],
    test_clock: customer.test_clock ?? null,
    ...nulls('customer_account'),
  });
  account.emit('invoiceitem.created', item, { clock });
  return item;
}

/** The credit for the time of an item that was billed and will not be used; none where nothing was billed. */
export function creditUnused(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  { at, parent = parentOf(item) }: { at: number; parent?: InvoiceItem['parent'] },
): void {
  const { billed } = account.tables.items.one(item.id);
  if (!billed || billed.end <= at || isWrittenOff(account, billed)) return;
  const price = account.tables.prices.one(billed.price);
  const start = Math.max(at, billed.start);
  const share = { part: BigInt(billed.end - start), whole: BigInt(billed.end - billed.start) };
  createInvoiceItem(account, {
    customer: subscription.customer,
    amount: toNumber(prorateExact(exactCents(-billed.amount), share)),
    description: `Unused time on ${counted(billed.quantity)}${productName(account, price)} after ${dateOf(at)}`,
    period: { start, end: billed.end },
    price,
    quantity: billed.quantity,
    parent,
    proration: { credited_items: creditedItems(account, billed), discount_amounts: [] },
  });
}

/** Whether the charge will not be paid: what was not paid for is not given back. */
function isWrittenOff({ tables }: Account, { on }: Billed): boolean {
  const id = 'invoice' in on ? on.invoice : tables.invoiceItems.get(on.invoiceItem)?.invoice;
  const status = tables.invoices.get(id)?.status;
  return status === 'void' || status === 'uncollectible';
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
  const amount = toNumber(prorateExact(exact, { part: BigInt(end - at), whole: BigInt(whole) }));
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
  const billed: Billed = {
    amount,
    start: at,
    end,
    price: item.price.id,
    quantity,
    on: { invoiceItem: made.id },
  };
  account.tables.items.change(item.id, { billed });
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

/** Pending items that go on a subscription's next invoice: its own, and those of no subscription. */
export function pendingItems(account: Account, customer: string, subscription: string | null): InvoiceItem[] {
  return account.tables.invoiceItems.by('waiting', customer).filter(({ parent }) => {
    const owner = parent?.subscription_details?.subscription ?? null;
    return owner === null || owner === subscription;
  });
}

function parentOf(item: SubscriptionItem): InvoiceItem['parent'] {
  return {
    subscription_details: { subscription: item.subscription, subscription_item: item.id },
    type: 'subscription_details',
  };
}

function creditedItems(account: Account, { on }: Billed) {
  const found = 'invoice' in on ? on : lineOf(account, on.invoiceItem);
  return (
    found && {
      type: 'invoice_line_items' as const,
      invoice_line_item_details: { invoice: found.invoice, invoice_line_items: found.lines },
    }
  );
}

/** Where an invoice item was billed; null while it is pending. */
function lineOf(account: Account, id: string): { invoice: string; lines: string[] } | null {
  const invoice = account.tables.invoices.get(account.tables.invoiceItems.get(id)?.invoice);
  const line = invoice?.lines.data.find(
    ({ parent }) => parent?.subscription_item_details?.invoice_item === id,
  );
  return invoice && line ? { invoice: invoice.id, lines: [line.id] } : null;
}

function counted(quantity: number): string {
  return quantity === 1 ? '' : `${quantity} × `;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `11 Oct 2026` */
function dateOf(seconds: number): string {
  const date = new Date(seconds * 1_000);
  const day = String(date.getUTCDate()).padStart(2, '0');
  return `${day} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}
