/** Products: what prices are prices of. */
import type Stripe from 'stripe';
import { invalid } from '../http/api-error.js';
import { clearable, flag, id, list, mergeMetadata, metadata, text, times } from '../http/parameters.js';
import { patched } from '../http/patched.js';
import { listRoute, type Route, retrieveRoute, route } from '../http/route.js';
import { LIVE_CLOCK } from '../state/account.js';
import { filled, nulls, type Stored } from '../state/stored.js';

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
        description: params.description ?? null,
        metadata: mergeMetadata({}, params.metadata),
        name: params.name,
        type: 'service',
        unit_label: params.unit_label ?? null,
        livemode: false,
        ...filled('created updated', now),
        ...filled('images marketing_features', []),
        ...nulls('default_price package_dimensions shippable statement_descriptor tax_code tax_details url'),
      };
      account.emit('product.created', products.put(product), { clock: LIVE_CLOCK });
      return product;
    },
  ),
  retrieveRoute('/v1/products', 'products.retrieve', ({ products }) => products),
  route(
    'POST /v1/products/:id',
    'products.update',
    { ...fields, name: text().optional() },
    (account, params, id = '') => {
      const { products } = account.tables;
      const before = products.one(id);
      const product = products.put({ ...patched(before, params), updated: account.now() });
      account.emit('product.updated', product, { clock: LIVE_CLOCK, before });
      return product;
    },
  ),
  listRoute(
    '/v1/products',
    'products.list',
    { active: flag.optional(), created: times.optional(), ids: list(id).optional() },
    ({ products }) => products,
    { ids: (row, ids) => ids.includes(row.id) },
  ),
];
