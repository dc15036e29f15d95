/** New subscriptions: items, trial, first period and first invoice. */

import { addIntervals } from '../clock/interval.js';
import { invalid, unsupported } from '../http/api-error.js';
import { defined, mergeMetadata } from '../http/patched.js';
import type { Account } from '../state/account.js';
import { nulls } from '../state/stored.js';
import type { Subscription, SubscriptionItem } from '../state/tables.js';
import { billBeginning } from './bill-beginning.js';
import { intervalOf, periodFrom, withSpan } from './billing-period.js';
import { checkItems, newItem } from './new-item.js';
import { checkMethod } from './payment-method.js';
import type { CreateSubscriptionParams } from './subscription-params.js';
import { announceTrialEnd, checkTrialAnchor, TRIAL_END, trialEndOf } from './trial.js';
import { checkUsage } from './usage-limit.js';

/** Stripe lets a customer of a test clock have this many. */
const SUBSCRIPTIONS_PER_CLOCK_CUSTOMER = 3;

/** Makes a subscription, bills its beginning, and tells of both. */
export function createSubscription(account: Account, params: CreateSubscriptionParams): Subscription {
  const { tables } = account;
  const { customer, now } = account.customer(params.customer);
  const place = account.outbox.length;
  checkClockLimit(account, customer.id, customer.test_clock);
  checkDueDays(params);
  checkMethod(account, customer.id, params.default_payment_method);
  const id = account.newId('sub');
  const trialEnd = trialEndOf(params, now);
  const bare = params.items.map((given) =>
    newItem(account, id, given, { created: now, usageFrom: trialEnd ?? now }),
  );
  checkItems(bare);
  for (const { price } of bare) checkUsage(account, customer.id, price);
  const start = trialEnd ?? now;
  const anchor = params.billing_cycle_anchor ?? start;
  if (anchor < start || anchor > addIntervals(start, intervalOf(bare), 1)) {
    throw invalid(
      'billing_cycle_anchor must lie within one period of the subscription’s start, or of its trial’s end.',
      'billing_cycle_anchor',
    );
  }
  if (trialEnd !== null) checkTrialAnchor(params, anchor > trialEnd);
  else if (params.trial_settings) throw unsupported('trial_settings without a trial', 'trial_settings');
  const first = periodFrom(anchor, bare, now);
  const period = trialEnd === null ? first.period : { start: now, end: trialEnd };
  const items = withSpan(bare, period);
  const made = tables.subscriptions.put({
    ...blankSubscription(params, { id, now, items }),
    billing_cycle_anchor: anchor,
    status: trialEnd === null ? 'active' : 'trialing',
    test_clock: customer.test_clock ?? null,
    trial_end: trialEnd,
    trial_start: trialEnd === null ? null : now,
  });
  account.schedule('end_period', made, period.end);
  billBeginning(account, made, params, first);
  const created = tables.subscriptions.one(id);
  account.emit('customer.subscription.created', created, { place });
  if (trialEnd !== null) announceTrialEnd(account, created);
  return created;
}

function checkClockLimit(account: Account, customer: string, testClock: string | null | undefined): void {
  const current = account.tables.subscriptions.by('customer', customer);
  if (testClock && account.settings.clockLimits && current.length >= SUBSCRIPTIONS_PER_CLOCK_CUSTOMER) {
    throw invalid(
      `A customer of a test clock can have up to ${SUBSCRIPTIONS_PER_CLOCK_CUSTOMER} subscriptions.`,
    );
  }
}

/** @throws ApiError 400 unless invoices that are sent have a time to be paid in, and only those. */
function checkDueDays({ collection_method: method, days_until_due: days }: CreateSubscriptionParams): void {
  if ((method === 'send_invoice') === (days !== undefined)) return;
  throw invalid(
    method === 'send_invoice'
      ? "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
      : "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'.",
    'days_until_due',
  );
}

function blankSubscription(
  params: CreateSubscriptionParams,
  { id, now, items }: { id: string; now: number; items: SubscriptionItem[] },
): Subscription {
  return {
    id,
    object: 'subscription',
    automatic_tax: { enabled: false, ...nulls('disabled_reason liability') },
    billing_cycle_anchor: now,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible', updated_at: now },
    billing_schedules: [],
    cancel_at_period_end: false,
    cancellation_details: nulls('comment feedback feedback_option reason'),
    collection_method: params.collection_method ?? 'charge_automatically',
    created: now,
    currency: 'usd',
    customer: params.customer,
    days_until_due: params.days_until_due ?? null,
    default_payment_method: params.default_payment_method ?? null,
    default_tax_rates: [],
    description: params.description ?? null,
    discounts: [],
    invoice_settings: {
      ...nulls('account_tax_ids custom_fields description footer'),
      issuer: { type: 'self' },
    },
    items: { object: 'list', data: items, has_more: false, url: `/v1/subscription_items?subscription=${id}` },
    livemode: false,
    managed_payments: { enabled: false },
    metadata: mergeMetadata({}, params.metadata),
    payment_settings: {
      ...nulls('payment_method_options payment_method_types'),
      save_default_payment_method: 'off',
    },
    start_date: now,
    status: 'active',
    test_clock: null,
    trial_settings: { end_behavior: { ...TRIAL_END, ...defined(params.trial_settings?.end_behavior ?? {}) } },
    ...nulls('application application_fee_percent billing_cycle_anchor_config billing_thresholds'),
    ...nulls('cancel_at canceled_at customer_account default_source ended_at latest_invoice'),
    ...nulls('next_pending_invoice_item_invoice on_behalf_of pause_collection pending_setup_intent'),
    ...nulls('pending_invoice_item_interval pending_update schedule transfer_data trial_end'),
    ...nulls('trial_start'),
  };
}
