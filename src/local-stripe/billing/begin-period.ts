/** The beginning of a period, and the one way in which subscriptions are billed. */
import type { Account } from '../state/account.js';
import type { Invoice, Subscription, SubscriptionItem } from '../state/tables.js';
import { licensedLines, noteBilled, periodFrom, spanOf } from './billing-period.js';
import { type DraftOptions, draftInvoice } from './draft-invoice.js';
import type { Span } from './lines.js';
import { pendingItems } from './pending-items.js';

export interface Bill extends Pick<DraftOptions, 'reason' | 'lines' | 'usage' | 'autoAdvance'> {
  /** Where the invoice's period starts; it ends now. */
  readonly start: number;
}

/** A draft of these lines, of usage, and of what is pending; none when there is nothing. */
export function billSubscription(
  account: Account,
  subscription: Subscription,
  bill: Bill,
): Invoice | undefined {
  const { customer, id } = subscription;
  const { lines = [], usage = [], start, ...rest } = bill;
  const pending = pendingItems(account, customer, id);
  if (lines.length + usage.length + pending.length === 0) return undefined;
  const period = { start, end: account.customer(customer).now };
  return draftInvoice(account, { customer, subscription, lines, usage, pending, period, ...rest });
}

/**
 * Begins a period now: the span of the items, its end on the clock, and a draft that bills licensed
 * items for it and the usage of the time before.
 *
 * @param fields of the subscription that change with it
 */
export function beginPeriod(
  account: Account,
  before: Subscription,
  fields: Partial<Subscription>,
  bill: Omit<Bill, 'lines' | 'start'>,
): Invoice | undefined {
  const { now } = account.customer(before.customer);
  const anchor = fields.billing_cycle_anchor ?? before.billing_cycle_anchor;
  const { period, share } = periodFrom(anchor, before.items.data, now);
  const items = withSpan(before.items.data, period);
  for (const item of items) account.tables.items.change(item.id, { usageFrom: now });
  const begun = account.tables.subscriptions.change(before.id, {
    ...fields,
    items: { ...before.items, data: items },
  });
  account.schedule('end_period', before, period.end);
  const lines = licensedLines(account, items, { period, share });
  const invoice = billSubscription(account, begun, { ...bill, lines, start: spanOf(before).start });
  if (invoice) noteBilled(account, invoice, items, period);
  return invoice;
}

export function withSpan(items: readonly SubscriptionItem[], { start, end }: Span): SubscriptionItem[] {
  return items.map((item) => ({ ...item, current_period_start: start, current_period_end: end }));
}
