/** Plans: the older word for prices. */
import type Stripe from 'stripe';
import { unsupported } from '../http/api-error.js';
import { nulls, type Stored } from '../state/stored.js';
import type { Price } from '../state/tables.js';

/** A price in the words of plans, which subscription items still carry. */
export function planOf(price: Price): Stored<Stripe.Plan> {
  const { recurring } = price;
  if (!recurring) throw unsupported('A price that does not recur');
  const { id, active, billing_scheme, created, currency, metadata, nickname, product, tiers_mode } = price;
  const { interval, interval_count, meter, usage_type } = recurring;
  return {
    object: 'plan',
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    livemode: false,
    ...{ id, active, billing_scheme, created, currency, metadata, nickname, product, tiers_mode },
    ...{ interval, interval_count, meter, usage_type },
    ...nulls('transform_usage trial_period_days'),
  };
}
