/** The items of subscriptions. */
import { invalid, unsupported } from '../http/api-error.js';
import { mergeMetadata } from '../http/patched.js';
import type { Account } from '../state/account.js';
import { nulls } from '../state/stored.js';
import type { Price, SubscriptionItem } from '../state/tables.js';
import { isMetered } from './billing-period.js';
import { planOf } from './plan-of.js';

interface GivenItem {
  readonly price: string;
  readonly quantity?: number | undefined;
  readonly metadata?: Record<string, string> | null | undefined;
}

/** An item whose period is still to be set, and the row of what is billed of it. */
export function newItem(
  account: Account,
  subscription: string,
  { price, quantity, metadata }: GivenItem,
  { created, usageFrom }: { created: number; usageFrom: number },
): SubscriptionItem {
  const blank = {
    id: account.newId('si'),
    object: 'subscription_item' as const,
    created,
    current_period_end: created,
    current_period_start: created,
    metadata: mergeMetadata({}, metadata),
    subscription,
    discounts: [],
    tax_rates: [],
    ...nulls('billing_thresholds current_trial'),
  };
  account.tables.items.put({ id: blank.id, subscription, usageFrom, billed: null, deletedAt: null });
  return pricedItem(blank, account.tables.prices.one(price, 'items'), { quantity, isNew: true });
}

/**
 * An item with its price, and the quantity that a licensed one has: what is given, or what it had.
 *
 * @throws ApiError 400 for a new price that is archived, and for a quantity that a meter counts.
 */
export function pricedItem(
  item: Omit<SubscriptionItem, 'price' | 'plan' | 'quantity'>,
  price: Price,
  { quantity, had = 1, isNew }: { quantity: number | undefined; had?: number | undefined; isNew: boolean },
): SubscriptionItem {
  if (isNew && !price.active) throw invalid(`The price specified is inactive: ${price.id}.`, 'items');
  const priced = { ...item, plan: planOf(price), price };
  if (!isMetered(price)) return { ...priced, quantity: quantity ?? had };
  if (quantity !== undefined) throw invalid('A metered price has no quantity: its meter counts.', 'items');
  return priced;
}

/** @throws ApiError 400 for items whose periods differ, two of one price, or none. */
export function checkItems(items: readonly SubscriptionItem[]): void {
  if (items.length === 0) throw invalid('A subscription needs at least one item.', 'items');
  const kinds = new Set(
    items.map(({ price }) => `${price.recurring?.interval}/${price.recurring?.interval_count}`),
  );
  if (kinds.size > 1) throw unsupported('A subscription with mixed intervals', 'items');
  if (new Set(items.map(({ price }) => price.id)).size < items.length) {
    throw invalid('Cannot add multiple subscription items with the same price.', 'items');
  }
}
