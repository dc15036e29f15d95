/** A key that was used before for a request with other parameters, or for one that is still under way. */
import Stripe from 'stripe';

/** Stripe's answer to the first has a class of its own in the SDK, that to the second has none. */
export function isIdempotencyConflict(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.rawType === 'idempotency_error';
}
