/**
 * Credits of tenants that have left, and of customers that were one too many: no invoice of theirs will use them
 * up, and Stripe pays nothing out. Both sides say the same of them, so they are no difference; a person has to
 * settle them.
 */
import { formatCents } from '../../money.js';
import { METADATA } from '../context.js';
import { subscriptionsOf } from '../find-subscription.js';
import { sdkOf } from '../sdk.js';
import { hasEnded } from '../subscription-state.js';
import { clockFilters } from '../test-clock.js';
import type { Books } from './books.js';

export interface LeftCredit {
  readonly tenantId: string;
  readonly customerId: string;
  readonly cents: number;
}

/**
 * What a person has to pay out, in whole cents.
 *
 * @param options tenants, all by default
 * @example for (const credit of await leftCredits(books)) console.log(leftCreditLine(credit));
 */
export async function leftCredits(
  { stripe: client, testClock }: Pick<Books, 'stripe' | 'testClock'>,
  { tenantIds }: { tenantIds?: readonly string[] } = {},
): Promise<LeftCredit[]> {
  const stripe = sdkOf(client);
  const credits: LeftCredit[] = [];
  for (const filter of clockFilters(testClock)) {
    for await (const { id, balance, metadata } of stripe.customers.list({ limit: 100, ...filter })) {
      const tenantId = metadata[METADATA.tenant] || metadata[METADATA.doubleOf];
      if (!tenantId || balance >= 0 || tenantIds?.includes(tenantId) === false) continue;
      const all = await subscriptionsOf(stripe, id);
      // Who never subscribed may yet do so; on a customer that was one too many nobody will.
      const hasBegun = all.length > 0 || !metadata[METADATA.tenant];
      if (hasBegun && all.every(hasEnded)) credits.push({ tenantId, customerId: id, cents: -balance });
    }
  }
  return credits;
}

export const leftCreditLine = ({ tenantId, customerId, cents }: LeftCredit): string =>
  `${tenantId}: left with a credit of $${formatCents(BigInt(cents))} → by hand: pay it out at Stripe, and take it ` +
  `off the balance of ${customerId}`;
