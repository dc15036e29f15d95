/** Which items a change of a subscription keeps, changes, adds and deletes. */
import { invalid } from '../http/api-error.js';
import { mergeMetadata } from '../http/parameters.js';
import type { Account } from '../state/account.js';
import type { Subscription, SubscriptionItem } from '../state/tables.js';
import { withSpan } from './begin-period.js';
import { spanOf } from './billing-period.js';
import { newItem, pricedItem } from './new-item.js';
import type { UpdateSubscriptionParams } from './subscription-params.js';

/** An item before and after: null before it was added, and after it was deleted. */
export interface ItemChange {
  readonly before: SubscriptionItem | null;
  readonly after: SubscriptionItem | null;
}

/** @throws ApiError 400 for items that the subscription does not have. */
export function itemChanges(
  account: Account,
  subscription: Subscription,
  { items = [] }: UpdateSubscriptionParams,
): ItemChange[] {
  const had = subscription.items.data;
  const stranger = items.find(({ id }) => id !== undefined && !had.some((item) => item.id === id));
  if (stranger) {
    throw invalid(`No such subscription_item: '${stranger.id}'`, {
      code: 'resource_missing',
      param: 'items',
    });
  }
  const kept = had.map((before): ItemChange => {
    const given = items.find(({ id }) => id === before.id);
    if (!given) return { before, after: before };
    if (given.deleted) return { before, after: null };
    const { quantity: _, ...rest } = before;
    const metadata = mergeMetadata(before.metadata, given.metadata);
    const quantity = given.quantity ?? before.quantity;
    // The price that it has may be archived by now, and stays.
    const price = given.price === undefined ? before.price : account.tables.prices.one(given.price, 'items');
    return {
      before,
      after: pricedItem({ ...rest, metadata }, price, { quantity, isNew: price.id !== before.price.id }),
    };
  });
  const added = items
    .filter(({ id }) => id === undefined)
    .flatMap(({ price, quantity, metadata, deleted }) => {
      if (!price || deleted)
        throw invalid('An item without an id is added and needs a price.', { param: 'items' });
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
