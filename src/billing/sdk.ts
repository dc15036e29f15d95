/** The official SDK behind a client, for the code that calls it. */
import type Stripe from 'stripe';
import type { StripeClient } from '../stripe-client.js';

/** @param client made by `new Stripe(…)`, or by a local Stripe */
export function sdkOf(client: StripeClient): Stripe {
  return client as unknown as Stripe;
}
