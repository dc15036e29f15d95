/** A subscription in the kit's words. */
import type Stripe from 'stripe';
import { ForeignSubscriptionError } from '../errors.js';
import { PLANS, type PlanName } from '../plans.js';
import { fromSeconds, METADATA } from './context.js';
import type { SubscriptionState } from './shapes.js';

/** @throws ForeignSubscriptionError when its metadata name no plan. */
export function stateOf({ id, status, metadata, trial_end }: Stripe.Subscription): SubscriptionState {
  const planType = metadata[METADATA.plan];
  if (!planType || !Object.hasOwn(PLANS, planType)) throw new ForeignSubscriptionError(id);
  return {
    subscriptionId: id,
    status,
    planType: planType as PlanName,
    trialEnd: trial_end === null ? null : fromSeconds(trial_end),
  };
}

/** Whether a subscription is over: nothing brings it back. */
export const hasEnded = ({ status }: Pick<Stripe.Subscription, 'status'>) =>
  status === 'canceled' || status === 'incomplete_expired';
