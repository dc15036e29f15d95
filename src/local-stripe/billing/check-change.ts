/** What is asked of a change before anything is done. */
import { invalid, unsupported } from '../http/api-error.js';
import type { Subscription } from '../state/tables.js';
import { spanOf } from './billing-period.js';
import type { UpdateSubscriptionParams } from './subscription-params.js';

/**
 * @param latest a change is made now or was made before; a preview may look ahead
 * @throws ApiError 400 for a change that this subscription does not take.
 */
export function checkChange(before: Subscription, params: UpdateSubscriptionParams, latest: number): void {
  const { metadata: _, cancellation_details: __, ...rest } = params;
  if (before.ended_at !== null && Object.values(rest).some((value) => value !== undefined)) {
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.');
  }
  checkBegun(before, params);
  for (const param of ['trial_end', 'trial_settings'] as const) {
    if (params[param] !== undefined && before.status !== 'trialing')
      throw unsupported(`${param} for a subscription that is in no trial`, param);
  }
  const { start, end } = spanOf(before);
  if (typeof params.trial_end === 'number' && before.billing_cycle_anchor > end) {
    throw unsupported('Another trial_end before a later billing_cycle_anchor', 'trial_end');
  }
  const at = params.proration_date;
  if (at !== undefined && (at < start || at > end)) {
    throw invalid('Cannot specify `proration_date` outside of the current period.', 'proration_date');
  }
  if (at !== undefined && at > latest) {
    throw invalid('`proration_date` cannot be in the future.', 'proration_date');
  }
}

/** Without a paid first period there is nothing to prorate, and a new one would begin for free. */
function checkBegun({ status }: Subscription, params: UpdateSubscriptionParams): void {
  if (status !== 'incomplete' && status !== 'paused') return;
  const of = `of ${status === 'paused' ? 'a' : 'an'} ${status} subscription`;
  if (params.items) throw unsupported(`A change of items ${of}`, 'items');
  // Its period is over: there is no end to wait for.
  if (status === 'paused' && params.cancel_at_period_end)
    throw unsupported(`A later end ${of}`, 'cancel_at_period_end');
}
