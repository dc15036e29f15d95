/** Products: what prices are prices of. */
import type Stripe from 'stripe';
import { invalid } from '../http/api-error.js';
import {
  clearable,
  flag,
  id,
  isWithin,
  list,
  mergeMetadata,
  metadata,
  text,
  times,
} from '../http/parameters.js';
import { listRoute, type Route, retrieveRoute, route } from '../http/route.js';
import { LIVE_CLOCK } from '../state/account.js';
import { nulls, type Stored } from '../state/stored.js';

const fields = {
  active: flag.optional(),
  description: clearable(text()).optional(),
  metadata: metadata.optional(),
  unit_label: clearable(text(12)).optional(),
};

export const productRoutes: Route[] = [
  route(
    'POST /v1/products',
    'products.create',
    { ...fields, id: id.optional(), name: text() },
    (account, params) => {
      const { products } = account.tables;
      const now = account.now();
      if (products.get(params.id)) {
        throw invalid(`Product already exists: ${params.id}`, {
          code: 'resource_already_exists',
          param: 'id',
        });
      }
      const product: Stored<Stripe.Product> = {
        id: params.id ?? account.newId('prod'),
        object: 'product',
        active: params.active ?? true,
        created: now,
        default_price: null,
        description: params.description ?? null,
        images: [],
        livemode: false,
        marketing_features: [],
        metadata: mergeMetadata({}, params.metadata),
        name: params.name,
        type: 'service',
        unit_label: params.unit_label ?? null,
        updated: now,
        ...nulls('package_dimensions', 'shippable', 'statement_descriptor', 'tax_code', 'tax_details', 'url'),
      };
      account.emit('product.created', products.put(product), { clock: LIVE_CLOCK });
      return product;
    },
  ),
  retrieveRoute('/v1/products', 'products.retrieve', (account) => account.tables.products),
  route(
    'POST /v1/products/:id',
    'products.update',
    { ...fields, name: text().optional() },
    (account, params, id = '') => {
      const { products } = account.tables;
      const before = products.one(id);
      const product = products.put({
        ...before,
        active: params.active ?? before.active,
        name: params.name ?? before.name,
        description: params.description === undefined ? before.description : params.description,
        unit_label: params.unit_label === undefined ? (before.unit_label ?? null) : params.unit_label,
        metadata: mergeMetadata(before.metadata, params.metadata),
        updated: account.now(),
      });
      account.emit('product.updated', product, { clock: LIVE_CLOCK, before });
      return product;
    },
  ),
  route('DELETE /v1/products/:id', 'products.del', {}, (account, _params, id = '') => {
    const { products, prices } = account.tables;
    const product = products.one(id);
    if (prices.by('product', id).length > 0) {
      throw invalid('This product cannot be deleted because it has one or more user-created prices.');
    }
    products.delete(id);
    account.emit('product.deleted', product, { clock: LIVE_CLOCK });
    return { id, object: 'product', deleted: true };
  }),
  listRoute(
    '/v1/products',
    'products.list',
    { active: flag.optional(), created: times.optional(), ids: list(id).optional() },
    ({ tables }, { active, created, ids }) =>
      tables.products
        .all()
        .filter(
          (row) =>
            (active === undefined || row.active === active) &&
            isWithin(row.created, created) &&
            (ids?.includes(row.id) ?? true),
        ),
  ),
];
