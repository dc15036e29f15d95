/** What payments leave behind, to read; and the customer's balance. */
import { changeBalance } from '../billing/customer-balance.js';
import { invalid } from '../http/api-error.js';
import { cents, choice, id, metadata, text, times } from '../http/parameters.js';
import { mergeMetadata } from '../http/patched.js';
import { pageRoute, type Route, readRoutes, route } from '../http/route.js';

const filters = { created: times.optional(), customer: id.optional() };
const ofCharges = { ...filters, payment_intent: id.optional() };
const ofDisputes = { charge: id.optional(), created: times.optional() };
const ofPayments = { invoice: id.optional(), status: choice('canceled', 'open', 'paid').optional() };

export const paymentRoutes: Route[] = [
  ...readRoutes('/v1/payment_intents', 'paymentIntents', filters, (tables) => tables.paymentIntents),
  ...readRoutes('/v1/charges', 'charges', ofCharges, (tables) => tables.charges),
  ...readRoutes('/v1/disputes', 'disputes', ofDisputes, (tables) => tables.disputes),
  ...readRoutes('/v1/invoice_payments', 'invoicePayments', ofPayments, (tables) => tables.invoicePayments),
  route(
    'POST /v1/customers/:id/balance_transactions',
    'customers.createBalanceTransaction',
    {
      amount: cents,
      currency: choice('usd'),
      description: text(350).optional(),
      metadata: metadata.optional(),
    },
    (account, { amount, description = null, metadata: pairs }, id) => {
      const { now } = account.customer(id, 'id');
      const facts = { amount, description, now, metadata: mergeMetadata({}, pairs) };
      const made = changeBalance(account, id, { ...facts, type: 'adjustment' });
      if (!made) throw invalid('The amount must not be 0.', 'amount');
      return made;
    },
  ),
  pageRoute(
    '/v1/customers/:id/balance_transactions',
    'customers.listBalanceTransactions',
    {},
    ({ tables }, _params, id) => tables.balanceTransactions.by('customer', tables.customers.one(id).id),
  ),
];
