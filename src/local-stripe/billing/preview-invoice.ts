/** Previews: what a change or the next renewal would bill. Everything is done, read, and taken back. */
import { z } from 'zod';
import { invalid, unsupported } from '../http/api-error.js';
import { flag, id, list, timestamp } from '../http/parameters.js';
import { defined } from '../http/patched.js';
import type { Account } from '../state/account.js';
import type { Invoice } from '../state/tables.js';
import { spanOf } from './billing-period.js';
import { cancelNow } from './cancel-subscription.js';
import { changeSubscription } from './change-subscription.js';
import { endPeriod } from './end-period.js';
import { changedItem, prorationBehavior } from './subscription-params.js';

export const previewShape = {
  customer: id.optional(),
  subscription: id,
  subscription_details: z
    .strictObject({
      cancel_at_period_end: flag.optional(),
      cancel_now: flag.optional(),
      items: list(changedItem, 20).optional(),
      proration_behavior: prorationBehavior.optional(),
      proration_date: timestamp.optional(),
      trial_end: z.union([z.literal('now'), timestamp]).optional(),
    })
    .optional(),
};
export type PreviewParams = z.output<z.ZodObject<typeof previewShape>>;

/** The invoice that a change would make at once, or else the next one, changed accordingly. */
export function previewInvoice(account: Account, params: PreviewParams): Invoice {
  const made = account.preview(() => previewChange(account, params));
  return {
    ...made,
    id: made.id.replace(/^in_/, 'upcoming_in_'),
    automatically_finalizes_at: null,
    ...(made.billing_reason === 'subscription_cycle' && { billing_reason: 'upcoming' }),
  };
}

function previewChange(
  account: Account,
  { customer, subscription: id, subscription_details: details = {} }: PreviewParams,
): Invoice {
  const { subscriptions, invoices } = account.tables;
  const before = subscriptions.one(id, 'subscription');
  if (customer !== undefined && before.customer !== customer) {
    throw invalid(`The subscription ${id} is not the customer’s.`, 'subscription');
  }
  const { cancel_now: cancels, ...change } = details;
  if (cancels) {
    const { proration_behavior: behavior, ...rest } = change;
    const [other] = Object.keys(defined(rest));
    if (other) throw unsupported(`${other} in the preview of a cancellation`, 'subscription_details');
    cancelNow(account, id, { invoice_now: true, prorate: behavior !== 'none' });
  } else changeSubscription(account, id, change);
  let latest = subscriptions.one(id).latest_invoice;
  if (latest === before.latest_invoice && !cancels) {
    renewEarly(account, id);
    latest = subscriptions.one(id).latest_invoice;
  }
  if (latest && latest !== before.latest_invoice) return invoices.one(latest);
  throw invalid('No upcoming invoices for customer', undefined, 'invoice_upcoming_none');
}

/** Ends the period as of its end. */
function renewEarly(account: Account, id: string): void {
  const subscription = account.tables.subscriptions.one(id);
  if (subscription.ended_at !== null || subscription.status === 'paused') return;
  account.pretend(spanOf(subscription).end, () => endPeriod(account, id));
}
