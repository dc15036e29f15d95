/** Trials: when they end, and who is told before. */
import { invalid, unsupported } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { Subscription } from '../state/tables.js';
import type { CreateSubscriptionParams } from './subscription-params.js';

const DAY = 86_400;
const LONGEST_TRIAL_DAYS = 730;
const DAYS_BEFORE_TRIAL_END = 3;

type TrialParams = Pick<CreateSubscriptionParams, 'trial_end' | 'trial_period_days'>;

/** What a trial's end does unless it is told otherwise. */
export const TRIAL_END = { billing_cycle_anchor: 'now', missing_payment_method: 'create_invoice' } as const;

/** The time at which a trial ends, checked; null without a trial. */
export function trialEndOf(
  { trial_end: given, trial_period_days: days }: TrialParams,
  now: number,
): number | null {
  if (given !== undefined && days !== undefined) {
    throw invalid('You may only specify one of these parameters: trial_end, trial_period_days.', 'trial_end');
  }
  const end = days !== undefined ? now + days * DAY : given;
  if (end === undefined || end === 'now' || days === 0) return null;
  if (end <= now) throw invalid('trial_end must be in the future.', 'trial_end');
  if (end > now + LONGEST_TRIAL_DAYS * DAY) {
    throw invalid(`A trial lasts at most ${LONGEST_TRIAL_DAYS} days.`, 'trial_end');
  }
  return end;
}

/** Tells of a trial's end three days before it, or at once if it is nearer. */
export function announceTrialEnd(account: Account, subscription: Subscription): void {
  const at = (subscription.trial_end ?? 0) - DAYS_BEFORE_TRIAL_END * DAY;
  // A trial that was moved may have been going to be told of later.
  account.unschedule(subscription.id, 'trial_will_end');
  if (at > account.customer(subscription.customer).now) account.schedule('trial_will_end', subscription, at);
  else account.emit('customer.subscription.trial_will_end', subscription);
}

/** A later anchor outlives the trial, and `unchanged` says so; without one the trial's end is the anchor. */
export function checkTrialAnchor(params: CreateSubscriptionParams, isLater: boolean): void {
  const { billing_cycle_anchor: atEnd } = params.trial_settings?.end_behavior ?? {};
  if (atEnd !== undefined && (atEnd === 'unchanged') !== isLater) {
    throw unsupported(`billing_cycle_anchor=${atEnd} at this trial’s end`, 'trial_settings');
  }
}
