/** Which items a change of a subscription keeps, changes, adds and deletes. */
import { invalid } from '../http/api-error.js';
import { mergeMetadata } from '../http/patched.js';
import type { Account } from '../state/account.js';
import type { Subscription, SubscriptionItem } from '../state/tables.js';
import { spanOf, withSpan } from './billing-period.js';
import { newItem, pricedItem } from './new-item.js';
import type { UpdateSubscriptionParams } from './subscription-params.js';

/** An item before and after: null before it was added, and after it was deleted. */
export interface ItemChange {
  readonly before: SubscriptionItem | null;
  readonly after: SubscriptionItem | null;
}

/** Whether a change costs something: its price or its quantity is another one. */
export function isChange({ before, after }: ItemChange): boolean {
  return before?.price.id !== after?.price.id || before?.quantity !== after?.quantity;
}

/** @throws ApiError 400 for items that the subscription does not have. */
export function itemChanges(
  account: Account,
  subscription: Subscription,
  { items = [] }: UpdateSubscriptionParams,
): ItemChange[] {
  const had = subscription.items.data;
  const stranger = items.find(({ id }) => id !== undefined && !had.some((item) => item.id === id));
  if (stranger) throw invalid(`No such subscription_item: '${stranger.id}'`, 'items', 'resource_missing');
  for (const { id, deleted, price, quantity } of items) {
    if (id !== undefined && items.filter((other) => other.id === id).length > 1)
      throw invalid(`The subscription item ${id} is changed twice.`, 'items');
    if (deleted && (price !== undefined || quantity !== undefined))
      throw invalid('An item that is deleted takes no other change.', 'items');
  }
  const kept = had.map((before): ItemChange => {
    const given = items.find(({ id }) => id === before.id);
    if (!given) return { before, after: before };
    if (given.deleted) return { before, after: null };
    const { quantity: _, ...rest } = before;
    const metadata = mergeMetadata(before.metadata, given.metadata);
    // The price that it has may be archived by now, and stays.
    const price = given.price === undefined ? before.price : account.tables.prices.one(given.price, 'items');
    const terms = { quantity: given.quantity, had: before.quantity, isNew: price.id !== before.price.id };
    return { before, after: pricedItem({ ...rest, metadata }, price, terms) };
  });
  const added = items
    .filter(({ id }) => id === undefined)
    .flatMap(({ price, quantity, metadata, deleted }) => {
      if (!price || deleted) throw invalid('An item without an id is added and needs a price.', 'items');
      const { now } = account.customer(subscription.customer);
      const item = newItem(
        account,
        subscription.id,
        { price, quantity, metadata },
        // Usage of a trial is free.
        { created: now, usageFrom: Math.max(now, subscription.trial_end ?? now) },
      );
      return withSpan([item], spanOf(subscription)).map((after): ItemChange => ({ before: null, after }));
    });
  return [...kept, ...added];
}
