/** The payment of an invoice: the intent to collect it, its attempts, its end. */
import type { Account } from '../state/account.js';
import { nulls } from '../state/stored.js';
import type { Charge, Invoice, PaymentIntent } from '../state/tables.js';
import { type Attempted, chargeOf } from './charge-of.js';
import { declined } from './test-cards.js';

/** The intent to collect what an invoice has due, and the record that ties the two together. */
export function openPayment(account: Account, invoice: Invoice, now: number): void {
  const { paymentIntents, invoicePayments } = account.tables;
  const id = account.newId('pi');
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    amount: invoice.amount_due,
    amount_capturable: 0,
    amount_received: 0,
    capture_method: 'automatic',
    client_secret: `${id}_secret_${account.ids.letters(25)}`,
    confirmation_method: 'automatic',
    created: now,
    currency: invoice.currency,
    customer: invoice.customer,
    description:
      invoice.billing_reason === 'subscription_create' ? 'Subscription creation' : 'Subscription update',
    livemode: false,
    metadata: {},
    payment_method_types: ['card'],
    status: 'requires_payment_method',
    ...nulls('allowed_payment_method_types application application_fee_amount canceled_at'),
    ...nulls('automatic_payment_methods cancellation_reason customer_account last_payment_error'),
    ...nulls('excluded_payment_method_types latest_charge managed_payments next_action'),
    ...nulls('on_behalf_of payment_method payment_method_configuration_details payment_record'),
    ...nulls('payment_method_options processing receipt_email review setup_future_usage'),
    ...nulls('shipping source statement_descriptor statement_descriptor_suffix transfer_group'),
  };
  account.emit('payment_intent.created', paymentIntents.put(intent));
  invoicePayments.put({
    id: account.newId('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: invoice.amount_due,
    created: now,
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: id, type: 'payment_intent' },
    status: 'open',
    status_transitions: nulls('canceled_at paid_at'),
  });
}

/** The intent of an invoice that is open. */
export function intentOf(account: Account, invoice: Invoice): PaymentIntent {
  const [payment] = account.tables.invoicePayments.by('invoice', invoice.id);
  return account.tables.paymentIntents.one(payment?.payment.payment_intent ?? '');
}

/** A charge that went through, or failed for a reason. */
export function recordCharge(account: Account, intent: PaymentIntent, attempted: Attempted): Charge {
  const { charges, paymentIntents } = account.tables;
  const { decline, method } = attempted;
  const charge = charges.put(chargeOf(account.newId('ch'), intent, attempted));
  const error = decline && { type: 'card_error' as const, charge: charge.id, ...declined(decline) };
  const after = paymentIntents.change(intent.id, {
    status: error ? 'requires_payment_method' : 'succeeded',
    amount_received: error ? 0 : intent.amount,
    last_payment_error: error || null,
    latest_charge: charge.id,
    payment_method: method.id,
  });
  if (decline) account.emit('charge.failed', charge);
  account.emit(decline ? 'payment_intent.payment_failed' : 'payment_intent.succeeded', after);
  if (!decline) account.emit('charge.succeeded', charge);
  return charge;
}

/** Closes the intent of an invoice that is settled otherwise. */
export function cancelPayment(account: Account, invoice: Invoice, now: number): void {
  const { tables } = account;
  for (const { id, payment } of tables.invoicePayments.by('invoice', invoice.id)) {
    const transitions = { canceled_at: now, paid_at: null };
    tables.invoicePayments.change(id, { status: 'canceled', status_transitions: transitions });
    const intent = tables.paymentIntents.change(payment.payment_intent ?? '', {
      status: 'canceled',
      canceled_at: now,
      cancellation_reason: 'void_invoice',
    });
    account.emit('payment_intent.canceled', intent);
  }
}
