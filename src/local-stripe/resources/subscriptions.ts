/** Subscriptions and their items. */
import { cancelNow } from '../billing/cancel-subscription.js';
import { changeSubscription } from '../billing/change-subscription.js';
import { createSubscription } from '../billing/create-subscription.js';
import {
  cancelShape,
  changedItem,
  createShape,
  prorationBehavior,
  updateShape,
} from '../billing/subscription-params.js';
import { missing } from '../http/api-error.js';
import { choice, id, times, timestamp } from '../http/parameters.js';
import { pageRoute, type Route, readRoutes, route } from '../http/route.js';
import type { Account } from '../state/account.js';
import type { Subscription, SubscriptionItem } from '../state/tables.js';

const STATUSES = [
  'active',
  'canceled',
  'incomplete',
  'incomplete_expired',
  'past_due',
  'paused',
  'trialing',
  'unpaid',
] as const;

const itemChange = {
  proration_behavior: prorationBehavior.optional(),
  proration_date: timestamp.optional(),
};

export const subscriptionRoutes: Route[] = [
  route('POST /v1/subscriptions', 'subscriptions.create', createShape, createSubscription),
  route('POST /v1/subscriptions/:id', 'subscriptions.update', updateShape, (account, params, id) =>
    changeSubscription(account, id, params),
  ),
  route('DELETE /v1/subscriptions/:id', 'subscriptions.cancel', cancelShape, (account, params, id) =>
    cancelNow(account, id, params),
  ),
  ...readRoutes(
    '/v1/subscriptions',
    'subscriptions',
    {
      created: times.optional(),
      customer: id.optional(),
      status: choice('all', 'ended', ...STATUSES)
        .optional()
        .transform((status) => status ?? 'current'),
      test_clock: id.optional(),
    },
    ({ subscriptions }) => subscriptions,
    { status: (row, status) => hasStatus(row, status) },
  ),
  pageRoute('/v1/subscription_items', 'subscriptionItems.list', { subscription: id }, ({ tables }, params) =>
    [...tables.subscriptions.one(params.subscription, 'subscription').items.data].reverse(),
  ),
  route('GET /v1/subscription_items/:id', 'subscriptionItems.retrieve', {}, (account, _params, id) => {
    return itemOf(account, id).item;
  }),
  route(
    'POST /v1/subscription_items',
    'subscriptionItems.create',
    {
      ...changedItem.pick({ price: true, quantity: true, metadata: true }).shape,
      ...itemChange,
      subscription: id,
    },
    (account, { subscription, price, quantity, metadata, ...how }) => {
      const { items } = changeSubscription(account, subscription, {
        ...how,
        items: [{ price, quantity, metadata }],
      });
      return items.data.at(-1) as SubscriptionItem;
    },
  ),
  route(
    'POST /v1/subscription_items/:id',
    'subscriptionItems.update',
    { ...changedItem.pick({ price: true, quantity: true, metadata: true }).shape, ...itemChange },
    (account, { price, quantity, metadata, ...how }, id) => {
      const { subscription } = itemOf(account, id);
      changeSubscription(account, subscription.id, { ...how, items: [{ id, price, quantity, metadata }] });
      return itemOf(account, id).item;
    },
  ),
  route('DELETE /v1/subscription_items/:id', 'subscriptionItems.del', itemChange, (account, params, id) => {
    const { subscription } = itemOf(account, id);
    changeSubscription(account, subscription.id, { ...params, items: [{ id, deleted: true }] });
    return { id, object: 'subscription_item', deleted: true };
  }),
];

/** Without a filter all but the ended ones, as at Stripe. */
function hasStatus({ status, ended_at: ended }: Subscription, wanted: string): boolean {
  if (wanted === 'all') return true;
  if (wanted === 'ended') return ended !== null;
  return wanted === 'current' ? ended === null : status === wanted;
}

function itemOf({ tables }: Account, id: string): { subscription: Subscription; item: SubscriptionItem } {
  const subscription = tables.subscriptions.get(tables.items.get(id)?.subscription);
  const item = subscription?.items.data.find((row) => row.id === id);
  if (subscription && item) return { subscription, item };
  throw missing('subscription_item', id);
}
