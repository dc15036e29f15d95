/** The beginning of a period. */
import type { Account } from '../state/account.js';
import type { Invoice, Subscription } from '../state/tables.js';
import { type Bill, billSubscription } from './bill-subscription.js';
import { licensedLines, periodFrom, spanOf, withSpan } from './billing-period.js';
import { noteBilled } from './cover.js';

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
