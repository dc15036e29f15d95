/** Invoice items: amounts that wait for the next invoice. */
import type { Account } from '../state/account.js';
import { nulls } from '../state/stored.js';
import type { InvoiceItem, Price, SubscriptionItem } from '../state/tables.js';
import type { Span } from './lines.js';

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
  const { customer, now } = account.customer(facts.customer);
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
  account.emit('invoiceitem.created', item);
  return item;
}

/** Pending items that go on a subscription's next invoice: its own, and those of none or of one that has ended. */
export function pendingItems(account: Account, customer: string, subscription: string | null): InvoiceItem[] {
  const { invoiceItems, subscriptions } = account.tables;
  return invoiceItems.by('waiting', customer).filter(({ parent }) => {
    const owner = subscriptions.get(parent?.subscription_details?.subscription);
    return !owner || owner.id === subscription || owner.ended_at !== null;
  });
}

/** Takes away an item that waits. */
export function deleteInvoiceItem(account: Account, item: InvoiceItem): void {
  account.customer(item.customer);
  account.tables.invoiceItems.delete(item.id);
  account.emit('invoiceitem.deleted', item);
}

/** An item of a subscription's next invoice. */
export function parentOf(item: SubscriptionItem): InvoiceItem['parent'] {
  return {
    subscription_details: { subscription: item.subscription, subscription_item: item.id },
    type: 'subscription_details',
  };
}
