/** Payment methods: Stripe's test cards, attached to customers. */
import { cardError, TEST_CARDS, type TestCard, testCardOf } from '../billing/test-cards.js';
import { invalid, unsupported } from '../http/api-error.js';
import { choice, id } from '../http/parameters.js';
import { pageRoute, type Route, retrieveRoute, route } from '../http/route.js';
import { type Account, LIVE_CLOCK } from '../state/account.js';
import { nulls } from '../state/stored.js';
import type { PaymentMethod } from '../state/tables.js';

/** How the names of test cards begin. */
const TEST_NAME = 'pm_card_';
const typeOfMethod = choice('card');

export const paymentMethodRoutes: Route[] = [
  retrieveRoute('/v1/payment_methods', 'paymentMethods.retrieve', ({ paymentMethods }) => paymentMethods),
  route(
    'POST /v1/payment_methods/:id/attach',
    'paymentMethods.attach',
    { customer: id },
    (account, { customer }, id) => attachMethod(account, id, customer),
  ),
  route('POST /v1/payment_methods/:id/detach', 'paymentMethods.detach', {}, detachMethod),
  pageRoute(
    '/v1/payment_methods',
    'paymentMethods.list',
    { customer: id, type: typeOfMethod.optional() },
    ({ tables }, { customer }) => tables.paymentMethods.by('customer', tables.customers.one(customer).id),
  ),
  pageRoute(
    '/v1/customers/:id/payment_methods',
    'customers.listPaymentMethods',
    { type: typeOfMethod.optional() },
    ({ tables }, _params, id) => tables.paymentMethods.by('customer', tables.customers.one(id).id),
  ),
];

/**
 * Attaches a payment method, or a new one of a test card (`pm_card_visa`), to a customer.
 *
 * @throws ApiError 402 for the cards that refuse it.
 */
export function attachMethod(account: Account, idOrName: string, customerId: string): PaymentMethod {
  const { customer } = account.customer(customerId);
  const { paymentMethods } = account.tables;
  const method = idOrName.startsWith(TEST_NAME)
    ? createMethod(account, idOrName)
    : paymentMethods.one(idOrName, 'payment_method');
  if (method.customer && method.customer !== customer.id) {
    throw invalid('The payment method you provided has already been attached to a customer.');
  }
  const { attachDecline } = testCardOf(method);
  if (attachDecline) throw cardError(attachDecline);
  const attached = paymentMethods.change(method.id, { customer: customer.id });
  account.emit('payment_method.attached', attached);
  return attached;
}

function detachMethod(account: Account, _params: object, id: string): PaymentMethod {
  const { paymentMethods, customers, invoices, subscriptions } = account.tables;
  const before = paymentMethods.one(id, 'payment_method');
  if (!before.customer) {
    throw invalid(
      'The payment method you provided is not attached to a customer so detachment is impossible.',
    );
  }
  const { customer } = account.customer(before.customer);
  if (customer.invoice_settings.default_payment_method === id) {
    const settings = { ...customer.invoice_settings, default_payment_method: null };
    customers.change(customer.id, { invoice_settings: settings });
  }
  const none = { default_payment_method: null };
  for (const subscription of subscriptions.by('customer', customer.id)) {
    if (subscription.default_payment_method === id) subscriptions.change(subscription.id, none);
  }
  for (const invoice of invoices.by('customer', customer.id)) {
    const isUnpaid = invoice.status === 'draft' || invoice.status === 'open';
    if (isUnpaid && invoice.default_payment_method === id) invoices.change(invoice.id, none);
  }
  const detached = paymentMethods.change(id, { customer: null });
  account.emit('payment_method.detached', detached, { before });
  return detached;
}

function createMethod(account: Account, name: string): PaymentMethod {
  const card = TEST_CARDS.get(name.slice(TEST_NAME.length));
  if (!card) throw unsupported(`The test card ${name.slice(0, 60)}`, 'id');
  return account.tables.paymentMethods.put({
    id: account.newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: {
      address: nulls('city country line1 line2 postal_code state'),
      ...nulls('email name phone tax_id'),
    },
    card: cardOf(card),
    created: account.timeOf(LIVE_CLOCK),
    livemode: false,
    metadata: {},
    type: 'card',
    ...nulls('customer customer_account'),
  });
}

/** Test cards never run out. */
const EXPIRY_YEAR = 2099;

function cardOf({ brand, last4 }: TestCard): NonNullable<PaymentMethod['card']> {
  return {
    brand,
    checks: { ...nulls('address_line1_check address_postal_code_check'), cvc_check: 'pass' },
    country: 'US',
    display_brand: brand,
    exp_month: 12,
    exp_year: EXPIRY_YEAR,
    fingerprint: `local${last4}`,
    funding: 'credit',
    last4,
    networks: { available: [brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    ...nulls('generated_from wallet'),
  };
}
