/** A customer as it is, if it is still there. */
import type Stripe from 'stripe';

/** @returns undefined for one that was deleted: Stripe still answers with its id */
export async function existingCustomer(stripe: Stripe, id: string): Promise<Stripe.Customer | undefined> {
  const customer = await stripe.customers.retrieve(id);
  return customer.deleted ? undefined : customer;
}
