/** Payment intents, charges and disputes: the objects that a payment leaves behind. */
import type Stripe from 'stripe';
import type { Account } from '../state/account.js';
import { nulls, type Stored } from '../state/stored.js';
import type { Invoice, PaymentIntent } from '../state/tables.js';
import { declineErrorCode, declineMessage, testCardOf } from './test-cards.js';

type Charge = Stored<Stripe.Charge>;
type PaymentMethod = Stored<Stripe.PaymentMethod>;

/** Days that a dispute can be answered. */
const DISPUTE_DAYS = 7;

/** The intent to collect what an invoice has due, and the record that ties the two together. */
export function openPayment(account: Account, invoice: Invoice, at: { clock: string; now: number }): void {
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
    created: at.now,
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
  account.emit('payment_intent.created', paymentIntents.put(intent), at);
  invoicePayments.put({
    id: account.newId('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: invoice.amount_due,
    created: at.now,
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
export function recordCharge(
  account: Account,
  intent: PaymentIntent,
  {
    method,
    decline,
    clock,
    now,
  }: { method: PaymentMethod; decline: string | undefined; clock: string; now: number },
): Charge {
  const { charges, paymentIntents } = account.tables;
  const charge = charges.put(chargeOf(account.newId('ch'), intent, { method, decline, now }));
  const error = decline && {
    type: 'card_error' as const,
    charge: charge.id,
    code: declineErrorCode(decline),
    decline_code: decline,
    message: declineMessage(decline),
  };
  const after = paymentIntents.change(intent.id, {
    status: error ? 'requires_payment_method' : 'succeeded',
    amount_received: error ? 0 : intent.amount,
    last_payment_error: error || null,
    latest_charge: charge.id,
    payment_method: method.id,
  });
  const intentEvent = () =>
    account.emit(decline ? 'payment_intent.payment_failed' : 'payment_intent.succeeded', after, { clock });
  if (decline) account.emit('charge.failed', charge, { clock });
  intentEvent();
  if (!decline) account.emit('charge.succeeded', charge, { clock });
  return charge;
}

/** Closes the intent of an invoice that is settled otherwise. */
export function cancelPayment(
  account: Account,
  invoice: Invoice,
  { clock, now }: { clock: string; now: number },
): void {
  const { paymentIntents, invoicePayments } = account.tables;
  for (const payment of invoicePayments.by('invoice', invoice.id)) {
    invoicePayments.change(payment.id, {
      status: 'canceled',
      status_transitions: { canceled_at: now, paid_at: null },
    });
    const intent = paymentIntents.change(payment.payment.payment_intent ?? '', {
      status: 'canceled',
      canceled_at: now,
      cancellation_reason: 'void_invoice',
    });
    account.emit('payment_intent.canceled', intent, { clock });
  }
}

/** What the merchant may say in a dispute: nothing yet. */
const NO_EVIDENCE: Stored<Stripe.Dispute>['evidence'] = {
  enhanced_evidence: {},
  ...nulls('access_activity_log billing_address cancellation_policy cancellation_policy_disclosure receipt'),
  ...nulls('cancellation_rebuttal customer_communication customer_email_address customer_name refund_policy'),
  ...nulls('customer_purchase_ip customer_signature duplicate_charge_documentation duplicate_charge_id'),
  ...nulls('duplicate_charge_explanation product_description refund_policy_disclosure service_date'),
  ...nulls(
    'refund_refusal_explanation service_documentation shipping_address shipping_carrier shipping_date',
  ),
  ...nulls('shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text'),
};

/** Disputes a charge, as its card's holder would at the bank. */
export function openDispute(
  account: Account,
  charge: Charge,
  { clock, now }: { clock: string; now: number },
) {
  const dispute = account.tables.disputes.put({
    id: account.newId('du'),
    object: 'dispute',
    amount: charge.amount,
    balance_transactions: [],
    charge: charge.id,
    created: now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: NO_EVIDENCE,
    evidence_details: {
      due_by: now + DISPUTE_DAYS * 86_400,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'manual',
    },
    intended_submission_method: null,
    is_charge_refundable: true,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: 'fraudulent',
    status: 'needs_response',
  });
  account.tables.charges.change(charge.id, { disputed: true });
  account.emit('charge.dispute.created', dispute, { clock });
  return dispute;
}

function chargeOf(
  id: string,
  intent: PaymentIntent,
  { method, decline, now }: { method: PaymentMethod; decline: string | undefined; now: number },
): Charge {
  const { brand, last4 } = testCardOf(method);
  return {
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: decline ? 0 : intent.amount,
    amount_refunded: 0,
    billing_details: method.billing_details,
    calculated_statement_descriptor: 'LOCAL STRIPE',
    captured: !decline,
    created: now,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_code: decline ? declineErrorCode(decline) : null,
    failure_message: decline ? declineMessage(decline) : null,
    fraud_details: {},
    livemode: false,
    metadata: {},
    outcome: {
      ...nulls('advice_code network_advice_code network_decline_code'),
      network_status: decline ? 'declined_by_network' : 'approved_by_network',
      reason: decline ?? null,
      risk_level: 'normal',
      seller_message: decline ? 'The bank did not accept the charge.' : 'Payment complete.',
      type: decline ? 'issuer_declined' : 'authorized',
    },
    paid: !decline,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: {
      type: 'card',
      card: {
        brand,
        country: 'US',
        exp_month: method.card?.exp_month ?? 0,
        exp_year: method.card?.exp_year ?? 0,
        funding: 'credit',
        last4,
        network: brand,
        ...nulls('amount_authorized authorization_code checks electronic_commerce_indicator'),
        ...nulls('installments mandate network_transaction_id regulated_status three_d_secure'),
        ...nulls('transaction_link_id wallet'),
      },
    },
    refunded: false,
    status: decline ? 'failed' : 'succeeded',
    ...nulls('application application_fee application_fee_amount balance_transaction'),
    ...nulls('failure_balance_transaction on_behalf_of receipt_email receipt_number receipt_url'),
    ...nulls('review shipping source source_transfer statement_descriptor'),
    ...nulls('statement_descriptor_suffix transfer_data transfer_group'),
  };
}
