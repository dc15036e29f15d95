/** What payments leave behind, to read; and the customer's balance. */
import { changeBalance } from '../billing/customer-balance.js';
import { invalid } from '../http/api-error.js';
import { cents, choice, id, isWithin, mergeMetadata, metadata, text, times } from '../http/parameters.js';
import { listRoute, type Route, retrieveRoute, route } from '../http/route.js';

const filters = { created: times.optional(), customer: id.optional() };

export const paymentRoutes: Route[] = [
  retrieveRoute('/v1/payment_intents', 'paymentIntents.retrieve', ({ tables }) => tables.paymentIntents),
  listRoute('/v1/payment_intents', 'paymentIntents.list', filters, ({ tables }, { created, customer }) =>
    (customer === undefined
      ? tables.paymentIntents.all()
      : tables.paymentIntents.by('customer', customer)
    ).filter((row) => isWithin(row.created, created)),
  ),
  retrieveRoute('/v1/charges', 'charges.retrieve', ({ tables }) => tables.charges),
  listRoute(
    '/v1/charges',
    'charges.list',
    { ...filters, payment_intent: id.optional() },
    ({ tables }, { created, customer, payment_intent: intent }) =>
      (intent === undefined ? tables.charges.all() : tables.charges.by('intent', intent)).filter(
        (row) => isWithin(row.created, created) && (customer === undefined || row.customer === customer),
      ),
  ),
  retrieveRoute('/v1/disputes', 'disputes.retrieve', ({ tables }) => tables.disputes),
  listRoute(
    '/v1/disputes',
    'disputes.list',
    { charge: id.optional(), created: times.optional() },
    ({ tables }, { charge, created }) =>
      tables.disputes
        .all()
        .filter((row) => isWithin(row.created, created) && (charge === undefined || row.charge === charge)),
  ),
  retrieveRoute('/v1/invoice_payments', 'invoicePayments.retrieve', ({ tables }) => tables.invoicePayments),
  listRoute(
    '/v1/invoice_payments',
    'invoicePayments.list',
    {
      invoice: id.optional(),
      status: choice('canceled', 'open', 'paid').optional(),
    },
    ({ tables }, { invoice, status }) =>
      (invoice === undefined
        ? tables.invoicePayments.all()
        : tables.invoicePayments.by('invoice', invoice)
      ).filter((row) => status === undefined || row.status === status),
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
    (account, params, customerId = '') => {
      const { now } = account.customer(customerId, 'id');
      const made = changeBalance(account, customerId, {
        amount: params.amount,
        type: 'adjustment',
        now,
        description: params.description ?? null,
        metadata: mergeMetadata({}, params.metadata),
      });
      if (!made) throw invalid('The amount must not be 0.', { param: 'amount' });
      return made;
    },
  ),
  route(
    'GET /v1/customers/:id/balance_transactions/:transaction',
    'customers.retrieveBalanceTransaction',
    {},
    ({ tables }, _params, customerId = '', id = '') => {
      tables.customers.one(customerId);
      return tables.balanceTransactions.one(id, 'transaction');
    },
  ),
  listRoute(
    '/v1/customers/:id/balance_transactions',
    'customers.listBalanceTransactions',
    {},
    ({ tables }, _params, customerId = '') =>
      tables.balanceTransactions.by('customer', tables.customers.one(customerId).id),
  ),
];
