/** A subscription's period: when it begins and ends, and what its beginning bills. */
import { periodAround } from '../clock/interval.js';
import { invalid } from '../http/api-error.js';
import { ONE } from '../money/decimal.js';
import type { Account } from '../state/account.js';
import type { Billed } from '../state/rows.js';
import type { Invoice, InvoiceLine, Price, Subscription, SubscriptionItem } from '../state/tables.js';
import { type ChargeOptions, chargeLines, type LineDraft, type Span } from './lines.js';

export function isMetered(price: Price): boolean {
  return price.recurring?.usage_type === 'metered';
}

/** Whether nothing of a price costs anything. */
export function isFree(account: Account, price: Price): boolean {
  const { tiers = [] } = account.tables.tiers.get(price.id) ?? {};
  const amounts = [price.unit_amount_decimal, ...tiers.map(({ unit }) => unit)];
  return amounts.every((amount) => Number(amount ?? 0) === 0);
}

/** The interval that all items of a subscription share. */
export function intervalOf(items: readonly { readonly price: Price }[]) {
  const [first] = items;
  const recurring = first?.price.recurring;
  if (!recurring) throw invalid('A subscription needs at least one item.', 'items');
  return recurring;
}

/** The span of all items of a subscription. */
export function spanOf({ items }: Subscription): Span {
  const [first] = items.data;
  if (!first) throw new RangeError('Cannot tell the period of a subscription without items');
  return { start: first.current_period_start, end: first.current_period_end };
}

/**
 * The period that begins now, given the anchor: a whole one from a boundary, else the part up to
 * the next boundary, with the whole that it is a part of.
 */
export function periodFrom(anchor: number, items: readonly { readonly price: Price }[], now: number) {
  const interval = intervalOf(items);
  const whole = periodAround(anchor, interval, now);
  const period: Span = { start: now, end: whole.end };
  const share = now === whole.start ? undefined : { part: whole.end - now, whole: whole.end - whole.start };
  return { period, share };
}

/** What the licensed items charge in advance for a period. */
export function licensedLines(
  account: Account,
  items: readonly SubscriptionItem[],
  options: Omit<ChargeOptions, 'quantity'>,
): LineDraft[] {
  return items
    .filter(({ price }) => !isMetered(price))
    .flatMap((item) =>
      chargeLines(account, item, item.price, { ...options, quantity: BigInt(item.quantity ?? 1) * ONE }),
    );
}

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
