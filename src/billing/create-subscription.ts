/** Subscribes a tenant to a plan: a base fee and a metered price, by the calendar's months. */
import type Stripe from 'stripe';
import { MissingCardError } from '../errors.js';
import { DAY_MS, monthOf } from '../period.js';
import { TRIAL_DAYS } from '../plans.js';
import { hasCard } from './attach-card.js';
import { SubscriptionConflictError, SubscriptionLeavingError } from './billing-errors.js';
import { type BillingContext, fromSeconds, METADATA, toSeconds } from './context.js';
import { subscriptionsOf } from './find-subscription.js';
import { isIdempotencyConflict } from './idempotency-conflict.js';
import type { NewSubscription, SubscriptionState } from './shapes.js';
import { hasEnded, stateOf } from './subscription-state.js';

/** The work of {@link StripeBillingManager.createSubscription}. */
export async function createSubscription(
  context: BillingContext,
  request: NewSubscription,
): Promise<SubscriptionState> {
  const { stripe } = context;
  const { customerId, tenantId } = request;
  const earlier = await subscriptionsOf(stripe, customerId);
  const live = earlier.find((subscription) => !hasEnded(subscription));
  if (live) return kept(live, tenantId);
  const hadTrial = earlier.some(({ trial_start: start }) => start !== null);
  const { trialDays = hadTrial ? 0 : TRIAL_DAYS } = request;
  if (!(trialDays >= 0)) throw new RangeError(`Cannot give a trial of ${trialDays} days`);
  if (trialDays === 0 && !(await hasCard(context, customerId))) throw new MissingCardError(tenantId);
  // Whatever its plan: of two requests at once one is made. After one that ended a new one is another intent.
  const idempotencyKey = `subscription:${customerId}:after:${earlier[0]?.id ?? 'none'}`;
  try {
    const terms = termsOf(context, { ...request, trialDays });
    return stateOf(await stripe.subscriptions.create(terms, { idempotencyKey }));
  } catch (error) {
    if (!isIdempotencyConflict(error)) throw error;
    const made = (await subscriptionsOf(stripe, customerId)).find((one) => !hasEnded(one));
    if (!made) throw new SubscriptionConflictError(tenantId, { cause: error });
    return kept(made, tenantId);
  }
}

/** Not resumed by itself: a request that is repeated late must not undo a cancellation that came after it. */
function kept(subscription: Stripe.Subscription, tenantId: string): SubscriptionState {
  const { id, cancel_at_period_end: leaves, cancel_at: end } = subscription;
  if (leaves) throw new SubscriptionLeavingError(tenantId, id, fromSeconds(end ?? 0));
  return stateOf(subscription);
}

function termsOf(
  { catalogue, now: clock }: BillingContext,
  { customerId, planType, tenantId, trialDays }: Required<NewSubscription>,
): Stripe.SubscriptionCreateParams {
  const prices = catalogue.plans[planType];
  const now = clock();
  const trialEnd = trialDays > 0 ? nextMidnight(new Date(now.getTime() + trialDays * DAY_MS)) : undefined;
  const begins = trialEnd ?? now;
  const anchor = nextMonthStart(begins);
  // On the 1st itself the month begins with the subscription, or with the end of its trial.
  const isLater = anchor > begins;
  return {
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
  };
}

const nextMidnight = (instant: Date) => new Date(Math.ceil(instant.getTime() / DAY_MS) * DAY_MS);
/** The first of a month at or after an instant. */
const nextMonthStart = (instant: Date) => monthOf(new Date(instant.getTime() - 1)).end;
