/** Usage of metered items that is not billed yet. */
import type { Account } from '../state/account.js';
import type { UsageSegment } from '../state/rows.js';
import type { SubscriptionItem } from '../state/tables.js';
import { isMetered } from './billing-period.js';
import type { ItemChange } from './item-changes.js';

/**
 * What the metered items have not billed up to a time.
 *
 * @param ends whether an item counts no further, so that the second `to` is its own too
 */
export function unbilledUsage(
  account: Account,
  items: readonly SubscriptionItem[],
  to: number,
  ends: (item: SubscriptionItem) => boolean = () => false,
): UsageSegment[] {
  return items
    .filter(({ price }) => isMetered(price))
    .flatMap((item) => {
      const { usageFrom: from } = account.tables.items.one(item.id);
      const segment = { item: item.id, price: item.price.id, from, to };
      return ends(item) ? lastSegment(account, item, segment) : from < to ? [segment] : [];
    });
}

/** The segment of an item that ends: it takes the usage of its last second from what begins in it. */
function lastSegment(account: Account, item: SubscriptionItem, segment: UsageSegment): UsageSegment[] {
  const { meterEvents, subscriptions } = account.tables;
  const { customer } = subscriptions.one(item.subscription);
  const own = meterEvents
    .by('series', `${item.price.recurring?.meter}/${customer}`)
    .filter(({ timestamp, closedBy }) => timestamp === segment.to && closedBy === undefined);
  // A trial's usage is free; a period that has just begun is empty without usage.
  if (segment.from > segment.to || (segment.from === segment.to && own.length === 0)) return [];
  for (const { id } of own) meterEvents.change(id, { closedBy: item.id });
  return [{ ...segment, isLast: true }];
}

/** Whether a change leaves an item's meter to nobody: neither the item nor one that begins with it counts on. */
export function endsCounting(item: SubscriptionItem, changes: readonly ItemChange[]): boolean {
  const { meter } = item.price.recurring ?? {};
  return !changes.some(({ before, after }) => {
    const begins = before?.id === item.id || before?.price.recurring?.meter !== meter;
    return begins && after?.price.recurring?.meter === meter;
  });
}
