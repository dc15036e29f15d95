/** A charge as Stripe shows it. */
import { nulls } from '../state/stored.js';
import type { Charge, PaymentIntent, PaymentMethod } from '../state/tables.js';
import { declined, testCardOf } from './test-cards.js';

export interface Attempted {
  readonly method: PaymentMethod;
  /** Why it failed. */
  readonly decline: string | undefined;
  readonly now: number;
}

/** A charge that went through, or was declined for a reason. */
export function chargeOf(id: string, intent: PaymentIntent, { method, decline, now }: Attempted): Charge {
  const { brand, last4 } = testCardOf(method);
  const failure = decline ? declined(decline) : undefined;
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
    failure_code: failure?.code ?? null,
    failure_message: failure?.message ?? null,
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
