/** Products: what prices are prices of. */
import type Stripe from 'stripe';
import { invalid } from '../http/api-error.js';
import { id, list, metadata, text } from '../http/parameters.js';
import { patched } from '../http/patched.js';
import { type Route, readRoutes, route } from '../http/route.js';
import { filled, nulls, type Stored } from '../state/stored.js';

export const productRoutes: Route[] = [
  route(
    'POST /v1/products',
    'products.create',
    {
      id: id.optional(),
      metadata: metadata.optional(),
      name: text(),
    },
    (account, params) => {
      const { products } = account.tables;
      const now = account.now();
      if (products.get(params.id)) {
        throw invalid(`Product already exists: ${params.id}`, 'id', 'resource_already_exists');
      }
      const blank: Stored<Stripe.Product> = {
        id: params.id ?? account.newId('prod'),
        object: 'product',
        active: true,
        metadata: {},
        name: params.name,
        type: 'service',
        livemode: false,
        ...filled('created updated', now),
        ...filled('images marketing_features', []),
        ...nulls('default_price description package_dimensions shippable statement_descriptor tax_code'),
        ...nulls('tax_details unit_label url'),
      };
      const product = products.put(patched(blank, params));
      account.emit('product.created', product);
      return product;
    },
  ),
  ...readRoutes('/v1/products', 'products', { ids: list(id).optional() }, ({ products }) => products, {
    ids: (row, ids) => ids.includes(row.id),
  }),
];
