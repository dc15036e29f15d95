/** Disputes: the holder of a card takes a charge back at the bank. */
import type Stripe from 'stripe';
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import { nulls, type Stored } from '../state/stored.js';
import type { Charge } from '../state/tables.js';

/** Days that a dispute can be answered. */
const DISPUTE_DAYS = 7;

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
export function openDispute(account: Account, charge: Charge) {
  if (!charge.paid || charge.disputed) {
    throw invalid('A charge can be disputed if it went through, and once.', 'charge');
  }
  const { now } = account.customer(charge.customer as string);
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
  account.emit('charge.dispute.created', dispute);
  return dispute;
}
