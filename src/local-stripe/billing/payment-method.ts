/** Which payment method pays. */
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import { type Invoice, type PaymentMethod, subscriptionOf } from '../state/tables.js';

/** The method that pays an invoice: its own, its subscription's, its customer's. */
export function paymentMethodOf(account: Account, invoice: Invoice): PaymentMethod | undefined {
  const { subscriptions, customers, paymentMethods } = account.tables;
  const id =
    invoice.default_payment_method ??
    subscriptions.get(subscriptionOf(invoice))?.default_payment_method ??
    customers.get(invoice.customer)?.invoice_settings.default_payment_method;
  return paymentMethods.get(id);
}

/** @throws ApiError 400 for a payment method that is not the customer's. */
export function checkMethod(
  account: Account,
  customer: string,
  method: string | null | undefined,
  param = 'default_payment_method',
): void {
  if (!method || account.tables.paymentMethods.get(method)?.customer === customer) return;
  throw invalid(
    `The customer does not have a payment method with the ID ${method}. The payment method must be attached to the customer.`,
    param,
    'resource_missing',
  );
}
