/** Customers, and the search for them. */
import { z } from 'zod';
import { cancelNow } from '../billing/cancel-subscription.js';
import { checkMethod } from '../billing/payment-method.js';
import { abandonInvoice } from '../billing/write-off.js';
import { invalid, unsupported } from '../http/api-error.js';
import { clearable, id, integer, metadata, text, times } from '../http/parameters.js';
import { patched } from '../http/patched.js';
import { listRoute, type Route, route } from '../http/route.js';
import { type Account, LIVE_CLOCK } from '../state/account.js';
import { nulls } from '../state/stored.js';
import type { Customer } from '../state/tables.js';
import { attachMethod } from './payment-methods.js';

/** Stripe lets this many customers live on a test clock. */
const CUSTOMERS_PER_CLOCK = 3;

const fields = {
  description: clearable(text()).optional(),
  email: clearable(text(512)).optional(),
  invoice_settings: z.strictObject({ default_payment_method: clearable(id).optional() }).optional(),
  metadata: metadata.optional(),
  name: clearable(text(256)).optional(),
  phone: clearable(text(20)).optional(),
};
const createParams = { ...fields, payment_method: id.optional(), test_clock: id.optional() };
type Fields = z.output<z.ZodObject<typeof fields>>;

export const customerRoutes: Route[] = [
  route('POST /v1/customers', 'customers.create', createParams, createCustomer),
  // Before the route of one customer: `search` is no id.
  route(
    'GET /v1/customers/search',
    'customers.search',
    { query: text(), limit: integer(1, 100).default(10), page: text().optional() },
    (account, { query, limit, page }) => {
      const found = searchCustomers(account, query);
      const start = page === undefined ? 0 : found.findIndex((row) => row.id === page) + 1;
      if (page !== undefined && start === 0) throw invalid(`Invalid page: ${page}`, 'page');
      const data = found.slice(start, start + limit);
      const more = start + limit < found.length;
      return {
        object: 'search_result',
        data,
        has_more: more,
        next_page: more ? (data.at(-1)?.id ?? null) : null,
        url: '/v1/customers/search',
      };
    },
  ),
  route('GET /v1/customers/:id', 'customers.retrieve', {}, ({ tables }, _params, id) => {
    return tables.deletedCustomers.get(id) ?? tables.customers.one(id);
  }),
  route('POST /v1/customers/:id', 'customers.update', fields, (account, params, id) => {
    const { customer: before } = account.customer(id, 'id');
    const customer = putCustomer(account, withFields(account, before, params));
    account.emit('customer.updated', customer, { before });
    return customer;
  }),
  route('DELETE /v1/customers/:id', 'customers.del', {}, (account, _params, id) =>
    deleteCustomer(account, id),
  ),
  listRoute(
    '/v1/customers',
    'customers.list',
    { created: times.optional(), email: text(512).optional(), test_clock: id.optional() },
    ({ customers }) => customers,
  ),
];

function createCustomer(account: Account, params: z.output<z.ZodObject<typeof createParams>>): Customer {
  const { tables } = account;
  const { test_clock: onClock } = params;
  if (onClock) {
    tables.testClocks.one(onClock, 'test_clock');
    if (
      account.settings.clockLimits &&
      tables.customers.by('test_clock', onClock).length >= CUSTOMERS_PER_CLOCK
    ) {
      throw invalid(`You can add up to ${CUSTOMERS_PER_CLOCK} customers to a test clock.`, 'test_clock');
    }
  }
  const blank: Customer = {
    id: account.newId('cus'),
    object: 'customer',
    balance: 0,
    created: account.timeOf(onClock ?? LIVE_CLOCK),
    currency: null,
    delinquent: false,
    email: null,
    invoice_prefix: account.ids.letters(8).toUpperCase(),
    invoice_settings: nulls('custom_fields default_payment_method footer rendering_options'),
    livemode: false,
    metadata: {},
    next_invoice_sequence: 1,
    preferred_locales: [],
    tax_exempt: 'none',
    test_clock: onClock ?? null,
    ...nulls('address customer_account default_source description discount name'),
    ...nulls('phone shipping'),
  };
  const { payment_method: method, invoice_settings: settings } = params;
  const place = account.outbox.length;
  tables.customers.put(blank);
  const attached = method && attachMethod(account, method, blank.id).id;
  // The name of a test card stands for the method that was made of it.
  const isSame = attached && settings?.default_payment_method === method;
  const given = isSame ? { ...params, invoice_settings: { default_payment_method: attached } } : params;
  const customer = putCustomer(account, withFields(account, blank, given));
  account.emit('customer.created', customer, { place });
  return customer;
}

function withFields(account: Account, before: Customer, params: Fields): Customer {
  const method = params.invoice_settings?.default_payment_method;
  checkMethod(account, before.id, method, 'invoice_settings[default_payment_method]');
  const { invoice_settings: _, ...fields } = params;
  const settings = method === undefined ? {} : { default_payment_method: method };
  return { ...patched(before, fields), invoice_settings: { ...before.invoice_settings, ...settings } };
}

/** Search lags behind what a call writes. */
function putCustomer(account: Account, customer: Customer): Customer {
  account.tables.written.put({ id: customer.id, at: account.now() });
  return account.tables.customers.put(customer);
}

/** Ends the customer's subscriptions without a further invoice; drafts are void, other invoices stay as they are. */
export function deleteCustomer(
  account: Account,
  id: string,
): { id: string; object: 'customer'; deleted: true } {
  const { customer } = account.customer(id, 'id');
  const { customers, deletedCustomers, invoices, subscriptions, paymentMethods } = account.tables;
  for (const subscription of subscriptions.by('customer', id)) {
    if (subscription.ended_at === null) cancelNow(account, subscription.id, {});
  }
  for (const invoice of invoices.by('customer', id)) abandonInvoice(account, invoice);
  for (const method of paymentMethods.by('customer', id)) {
    paymentMethods.change(method.id, { customer: null });
  }
  account.emit('customer.deleted', customer);
  customers.delete(id);
  return deletedCustomers.put({ id, object: 'customer', deleted: true }) as ReturnType<typeof deleteCustomer>;
}

const CLAUSE = /^\s*(?:(email|name)|metadata\[(['"])(.+?)\2\])\s*:\s*(['"])(.*?)\4\s*$/;

/** Exact matches joined by AND, of customers that were not written within the lag. */
function searchCustomers(account: Account, query: string): Customer[] {
  const clauses = query.split(/\bAND\b/).map((clause) => {
    const [, field, , key, , value = ''] = CLAUSE.exec(clause) ?? [];
    if (!field && !key) throw unsupported(`The search clause ${clause.trim().slice(0, 80)}`, 'query');
    return (row: Customer) => (key ? row.metadata[key] : row[field as 'email' | 'name']) === value;
  });
  const seen = account.now() - account.settings.searchLagSeconds;
  return account.tables.customers
    .all()
    .filter((row) => (account.tables.written.get(row.id)?.at ?? 0) <= seen)
    .filter((row) => clauses.every((matches) => matches(row)))
    .reverse();
}
