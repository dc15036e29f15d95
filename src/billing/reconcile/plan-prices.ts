/** Which plan a price at Stripe belongs to, and whether it is its fee or its usage. */

import { PLANS, type PlanName } from '../../plans.js';
import type { StripeClient } from '../../stripe-client.js';
import type { Catalogue } from '../catalogue.js';
import { sdkOf } from '../sdk.js';

export interface PlanPrice {
  readonly plan: PlanName;
  readonly isMetered: boolean;
  /** Whether the catalogue has another one by now. */
  readonly isOlder: boolean;
}

/** By the price's id. */
export type PriceBook = ReadonlyMap<string, PlanPrice>;

/**
 * The prices of all plans, archived ones too: who subscribed to one keeps it.
 *
 * @example (await readPlanPrices(stripe, catalogue)).get(catalogue.plans.pro.basePriceId)?.plan // 'pro'
 */
export async function readPlanPrices(client: StripeClient, { plans }: Catalogue): Promise<PriceBook> {
  const prices = new Map<string, PlanPrice>();
  for (const plan of Object.keys(PLANS) as PlanName[]) {
    const { productId: product, ...current } = plans[plan];
    const ids: string[] = Object.values(current);
    for await (const { id, recurring } of sdkOf(client).prices.list({ product, limit: 100 }))
      prices.set(id, { plan, isMetered: recurring?.usage_type === 'metered', isOlder: !ids.includes(id) });
  }
  return prices;
}
