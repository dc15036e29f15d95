/** Subscribes a tenant to a plan: a base fee and a metered price, by the calendar's months. */
import { MissingCardError } from '../errors.js';
import { DAY_MS, monthOf } from '../period.js';
import { TRIAL_DAYS } from '../plans.js';
import { type BillingContext, METADATA, toSeconds } from './context.js';
import type { NewSubscription, SubscriptionState } from './shapes.js';
import { hasEnded, stateOf } from './subscription-state.js';

/** The work of {@link StripeBillingManager.createSubscription}. */
export async function createSubscription(
  { stripe, catalogue, now: clock }: BillingContext,
  { customerId, planType, tenantId, trialDays = TRIAL_DAYS }: NewSubscription,
  hasCard: () => Promise<boolean>,
): Promise<SubscriptionState> {
  // Newest first.
  const earlier = await stripe.subscriptions
    .list({ customer: customerId, status: 'all', limit: 100 })
    .autoPagingToArray({ limit: 1_000 });
  const live = earlier.find((subscription) => !hasEnded(subscription));
  if (live) return stateOf(live);
  if (trialDays === 0 && !(await hasCard())) throw new MissingCardError(tenantId);

  const prices = catalogue.plans[planType];
  const now = clock();
  const trialEnd = trialDays > 0 ? nextMidnight(new Date(now.getTime() + trialDays * DAY_MS)) : undefined;
  const begins = trialEnd ?? now;
  const anchor = nextMonthStart(begins);
  // On the 1st itself the month begins with the subscription, or with the end of its trial.
  const isLater = anchor > begins;
  const subscription = await stripe.subscriptions.create(
    {
      customer: customerId,
      items: [{ price: prices.basePriceId, quantity: 1 }, { price: prices.usagePriceId }],
      ...(isLater && { billing_cycle_anchor: toSeconds(anchor) }),
      ...(trialEnd && {
        trial_end: toSeconds(trialEnd),
        trial_settings: {
          end_behavior: {
            missing_payment_method: 'create_invoice',
            ...(isLater && { billing_cycle_anchor: 'unchanged' }),
          },
        },
      }),
      billing_mode: { type: 'flexible' },
      metadata: { [METADATA.tenant]: tenantId, [METADATA.plan]: planType },
    },
    // After a subscription that ended a new one is another intent.
    { idempotencyKey: `subscription:${customerId}:${planType}:after:${earlier[0]?.id ?? 'none'}` },
  );
  return stateOf(subscription);
}

const nextMidnight = (instant: Date) => new Date(Math.ceil(instant.getTime() / DAY_MS) * DAY_MS);
/** The first of a month at or after an instant. */
const nextMonthStart = (instant: Date) => monthOf(new Date(instant.getTime() - 1)).end;
