/** What payments leave behind, to read; and the customer's balance. */
import { changeBalance } from '../billing/customer-balance.js';
import { invalid } from '../http/api-error.js';
import { cents, choice, id, mergeMetadata, metadata, text, times } from '../http/parameters.js';
import { listRoute, pageRoute, type Route, retrieveRoute, route } from '../http/route.js';

const filters = { created: times.optional(), customer: id.optional() };

export const paymentRoutes: Route[] = [
  retrieveRoute('/v1/payment_intents', 'paymentIntents.retrieve', ({ paymentIntents }) => paymentIntents),
  listRoute('/v1/payment_intents', 'paymentIntents.list', filters, ({ paymentIntents }) => paymentIntents),
  retrieveRoute('/v1/charges', 'charges.retrieve', ({ charges }) => charges),
  listRoute(
    '/v1/charges',
    'charges.list',
    { ...filters, payment_intent: id.optional() },
    ({ charges }) => charges,
  ),
  retrieveRoute('/v1/disputes', 'disputes.retrieve', ({ disputes }) => disputes),
  listRoute(
    '/v1/disputes',
    'disputes.list',
    { charge: id.optional(), created: times.optional() },
    ({ disputes }) => disputes,
  ),
  retrieveRoute('/v1/invoice_payments', 'invoicePayments.retrieve', ({ invoicePayments }) => invoicePayments),
  listRoute(
    '/v1/invoice_payments',
    'invoicePayments.list',
    { invoice: id.optional(), status: choice('canceled', 'open', 'paid').optional() },
    ({ invoicePayments }) => invoicePayments,
  ),
  route(
    'POST /v1/customers/:id/balance_transactions',
    'customers.createBalanceTransaction',
    {
      amount: cents,
      currency: choice('usd'),
      description: text(350).optional(),
      metadata: metadata.optional(),
    },
    (account, { amount, description = null, metadata: pairs }, id = '') => {
      const { now } = account.customer(id, 'id');
      const facts = { amount, description, now, metadata: mergeMetadata({}, pairs) };
      const made = changeBalance(account, id, { ...facts, type: 'adjustment' });
      if (!made) throw invalid('The amount must not be 0.', { param: 'amount' });
      return made;
    },
  ),
  pageRoute(
    '/v1/customers/:id/balance_transactions',
    'customers.listBalanceTransactions',
    {},
    ({ tables }, _params, id = '') => tables.balanceTransactions.by('customer', tables.customers.one(id).id),
  ),
];
