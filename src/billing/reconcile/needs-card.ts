/** Trials that will be charged, and cannot be. */
import type Stripe from 'stripe';

/**
 * Whether a trial will be charged, and has nothing to be charged to: no card of its own and none of its
 * customer. One that was cancelled to its end is not charged.
 */
export async function needsCard(
  trial: Stripe.Subscription,
  customerHasCard: () => Promise<boolean>,
): Promise<boolean> {
  const { default_payment_method: ownCard, cancel_at: cancelAt, trial_end: trialEnd } = trial;
  const isLeaving = trial.cancel_at_period_end || (cancelAt !== null && cancelAt <= (trialEnd ?? 0));
  return !isLeaving && !ownCard && !(await customerHasCard());
}
