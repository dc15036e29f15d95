/** Prices: plain or in tiers, licensed (billed in advance) or metered (billed in arrears). */

import { z } from 'zod';
import { planOf } from '../billing/plan-of.js';
import { invalid } from '../http/api-error.js';
import { choice, flag, id, integer, list, metadata, text, times } from '../http/parameters.js';
import { patched } from '../http/patched.js';
import { type Route, readRoutes, route } from '../http/route.js';
import { wholeOf } from '../money/decimal.js';
import type { Account } from '../state/account.js';
import { nulls } from '../state/stored.js';
import type { Price } from '../state/tables.js';
import { amount, oneOf, positive, tier, tiersOf } from './price-tiers.js';

const createParams = {
  currency: choice('usd'),
  product: id,
  billing_scheme: choice('per_unit', 'tiered').optional(),
  lookup_key: text(200).optional(),
  metadata: metadata.optional(),
  recurring: z.strictObject({
    interval: choice('day', 'week', 'month', 'year'),
    interval_count: integer(1, 36).optional(),
    meter: id.optional(),
    usage_type: choice('licensed', 'metered').optional(),
  }),
  tiers: list(tier).optional(),
  tiers_mode: choice('graduated', 'volume').optional(),
  transfer_lookup_key: flag.optional(),
  unit_amount: amount.optional(),
  unit_amount_decimal: positive.optional(),
};
type CreateParams = z.output<z.ZodObject<typeof createParams>>;

export const priceRoutes: Route[] = [
  route('POST /v1/prices', 'prices.create', createParams, createPrice),
  route(
    'POST /v1/prices/:id',
    'prices.update',
    { active: flag.optional(), metadata: metadata.optional() },
    (account, params, id) => putPrice(account, patched(account.tables.prices.one(id), params)),
  ),
  ...readRoutes(
    '/v1/prices',
    'prices',
    {
      active: flag.optional(),
      created: times.optional(),
      lookup_keys: list(text(200), 10).optional(),
      product: id.optional(),
    },
    ({ prices }) => prices,
    { lookup_keys: (row, keys) => keys.includes(row.lookup_key ?? '') },
  ),
];

function createPrice(account: Account, params: CreateParams): Price {
  const { tables } = account;
  tables.products.one(params.product, 'product');
  const { recurring, billing_scheme: scheme = 'per_unit' } = params;
  const usage = recurring.usage_type ?? 'licensed';
  if ((usage === 'metered') !== (recurring.meter !== undefined)) {
    throw invalid('A metered price needs a meter, and only a metered price has one.', 'recurring[meter]');
  }
  if (recurring.meter) tables.meters.one(recurring.meter, 'recurring[meter]');
  const tiered = scheme === 'tiered';
  if (tiered !== (params.tiers !== undefined) || tiered !== (params.tiers_mode !== undefined)) {
    throw invalid(
      '`tiers` and `tiers_mode` go with billing_scheme=tiered, and it needs both.',
      'billing_scheme',
    );
  }
  const unit = oneOf(params.unit_amount, params.unit_amount_decimal, 'unit_amount');
  if (tiered === (unit !== '')) {
    throw invalid('A price needs either `unit_amount` or `unit_amount_decimal`, or tiers.', 'unit_amount');
  }
  const rowId = account.newId('price');
  const tiers = params.tiers && tiersOf(params.tiers);
  if (params.lookup_key) claimLookupKey(account, params.lookup_key, params.transfer_lookup_key);
  const blank: Price = {
    id: rowId,
    object: 'price',
    active: true,
    billing_scheme: scheme,
    created: account.now(),
    currency: params.currency,
    livemode: false,
    metadata: {},
    product: params.product,
    recurring: {
      interval: recurring.interval,
      interval_count: recurring.interval_count ?? 1,
      meter: recurring.meter ?? null,
      trial_period_days: null,
      usage_type: usage,
    },
    tax_behavior: 'unspecified',
    tiers_mode: params.tiers_mode ?? null,
    type: 'recurring',
    unit_amount: wholeOf(unit),
    unit_amount_decimal: unit || null,
    ...nulls('custom_unit_amount lookup_key nickname transform_quantity'),
  };
  if (tiers) tables.tiers.put({ id: rowId, tiers });
  const { lookup_key, metadata: pairs } = params;
  const price = tables.prices.put(patched(blank, { lookup_key, metadata: pairs }));
  account.emit('price.created', price);
  return price;
}

/** A lookup key belongs to one price: it is refused, or taken from the price that has it. */
function claimLookupKey(account: Account, key: string, transfer = false): void {
  const [holder] = account.tables.prices.by('lookup', key);
  if (!holder) return;
  if (!transfer) {
    const message = `A price (\`${holder.id}\`) already uses that lookup key.`;
    throw invalid(message, 'lookup_key', 'resource_already_exists');
  }
  putPrice(account, { ...holder, lookup_key: null });
}

/** Subscription items carry their price with them, so it changes there too. */
function putPrice(account: Account, price: Price): Price {
  const { prices, subscriptions } = account.tables;
  const before = prices.one(price.id);
  prices.put(price);
  for (const subscription of subscriptions.all()) {
    if (!subscription.items.data.some((item) => item.price.id === price.id)) continue;
    const data = subscription.items.data.map((item) =>
      item.price.id === price.id ? { ...item, price, plan: planOf(price) } : item,
    );
    subscriptions.change(subscription.id, { items: { ...subscription.items, data } });
  }
  account.emit('price.updated', price, { before });
  return price;
}
