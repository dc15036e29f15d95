/** Stripe's test cards, and why a charge of one fails. */
import { ApiError } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { PaymentMethod } from '../state/tables.js';

export interface TestCard {
  readonly brand: 'visa' | 'mastercard';
  readonly last4: string;
  /** Why it cannot be attached to a customer. */
  readonly attachDecline?: string;
  /** Why its charges fail. */
  readonly chargeDecline?: string;
}

/** `pm_card_<name>` is a payment method of each. */
export const TEST_CARDS: ReadonlyMap<string, TestCard> = new Map([
  ['visa', { brand: 'visa', last4: '4242' }],
  ['mastercard', { brand: 'mastercard', last4: '4444' }],
  ['chargeCustomerFail', { brand: 'visa', last4: '0341', chargeDecline: 'generic_decline' }],
  ['chargeDeclinedInsufficientFunds', { brand: 'visa', last4: '9995', attachDecline: 'insufficient_funds' }],
  ['authenticationRequired', { brand: 'visa', last4: '3184', chargeDecline: 'authentication_required' }],
]);

/** After these a new try with the same card is pointless: retries are counted, and not sent. */
export const HARD_DECLINES: ReadonlySet<string> = new Set([
  'incorrect_number',
  'lost_card',
  'pickup_card',
  'stolen_card',
  'revocation_of_authorization',
  'revocation_of_all_authorizations',
  'authentication_required',
  'highest_risk_level',
  'transaction_not_allowed',
]);

export function testCardOf(method: PaymentMethod): TestCard {
  const card = [...TEST_CARDS.values()].find(({ last4 }) => last4 === method.card?.last4);
  if (!card) throw new RangeError(`Cannot charge ${method.id}: it is no test card`);
  return card;
}

/** Why a charge of this card fails at this time; undefined when it succeeds. */
export function declineOf(account: Account, method: PaymentMethod, now: number): string | undefined {
  const outage = account.tables.outages
    .by('customer', method.customer ?? '')
    .find(({ from, until }) => from <= now && now < until);
  return outage?.declineCode ?? testCardOf(method).chargeDecline;
}

/** What Stripe says of a decline. */
export function declined(declineCode: string) {
  const isAuthentication = declineCode === 'authentication_required';
  const message = isAuthentication
    ? 'Your card was declined. This transaction requires authentication.'
    : declineCode === 'insufficient_funds'
      ? 'Your card has insufficient funds.'
      : 'Your card was declined.';
  const code = isAuthentication ? ('authentication_required' as const) : ('card_declined' as const);
  return { code, decline_code: declineCode, message };
}

/** The error that answers a decline. */
export function cardError(declineCode: string, charge?: string): ApiError {
  const { code, message } = declined(declineCode);
  return new ApiError(402, message, { type: 'card_error', code, declineCode, ...(charge && { charge }) });
}
