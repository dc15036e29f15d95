/** Previews: what a change or the next renewal would bill. Everything is done, read, and taken back. */
import { z } from 'zod';
import { invalid, unsupported } from '../http/api-error.js';
import { choice, flag, id, list, timestamp } from '../http/parameters.js';
import { defined } from '../http/patched.js';
import type { Account } from '../state/account.js';
import type { Invoice } from '../state/tables.js';
import { spanOf } from './billing-period.js';
import { cancelNow } from './cancel-subscription.js';
import { changeSubscription } from './change-subscription.js';
import { createSubscription } from './create-subscription.js';
import { endPeriod } from './end-period.js';
import { changedItem, prorationBehavior } from './subscription-params.js';

export const previewShape = {
  customer: id.optional(),
  subscription: id.optional(),
  subscription_details: z
    .strictObject({
      billing_cycle_anchor: z
        .strictObject({ type: choice('now', 'unchanged', 'timestamp'), timestamp: timestamp.optional() })
        .optional(),
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
  const made = account.preview(() =>
    params.subscription ? previewChange(account, params.subscription, params) : previewNew(account, params),
  );
  return {
    ...made,
    id: made.id.replace(/^in_/, 'upcoming_in_'),
    automatically_finalizes_at: null,
    ...(made.billing_reason === 'subscription_cycle' && { billing_reason: 'upcoming' }),
  };
}

function previewNew(
  account: Account,
  { customer, subscription_details: details = {} }: PreviewParams,
): Invoice {
  const { items = [], trial_end, billing_cycle_anchor: anchor, ...rest } = details;
  if (!customer || items.length === 0) {
    throw invalid('A preview needs a subscription, or a customer and items.', 'subscription');
  }
  if (items.some(({ id, deleted }) => id !== undefined || deleted)) {
    throw invalid('A new subscription has no items to change.', 'subscription_details');
  }
  if (anchor && (anchor.type !== 'timestamp' || anchor.timestamp === undefined)) {
    throw invalid('The anchor of a new subscription is a timestamp.', 'subscription_details');
  }
  checkOthers(rest, 'a new subscription');
  const created = createSubscription(account, {
    customer,
    items: items.map(({ price = '', quantity }) => ({ price, quantity })),
    payment_behavior: 'default_incomplete',
    trial_end,
    billing_cycle_anchor: anchor?.timestamp,
  });
  // Metered items alone bill nothing at the beginning.
  return account.tables.invoices.get(created.latest_invoice) ?? nothingUpcoming();
}

function previewChange(
  account: Account,
  id: string,
  { customer, subscription_details: details = {} }: PreviewParams,
): Invoice {
  const { subscriptions, invoices } = account.tables;
  const before = subscriptions.one(id, 'subscription');
  if (customer !== undefined && before.customer !== customer) {
    throw invalid(`The subscription ${id} is not the customer’s.`, 'subscription');
  }
  const { cancel_now: cancels, billing_cycle_anchor: anchor, ...change } = details;
  if (anchor?.type === 'timestamp' || anchor?.timestamp !== undefined) {
    throw invalid('A subscription’s anchor moves to `now` only.', 'billing_cycle_anchor');
  }
  if (cancels) {
    const { proration_behavior: behavior, ...rest } = { ...change, billing_cycle_anchor: anchor };
    checkOthers(rest, 'a cancellation');
    cancelNow(account, id, { invoice_now: true, prorate: behavior !== 'none' });
  } else {
    const moved = anchor && { billing_cycle_anchor: { type: anchor.type } };
    changeSubscription(account, id, { ...change, ...moved });
  }
  let latest = subscriptions.one(id).latest_invoice;
  if (latest === before.latest_invoice && !cancels) {
    renewEarly(account, id);
    latest = subscriptions.one(id).latest_invoice;
  }
  return latest && latest !== before.latest_invoice ? invoices.one(latest) : nothingUpcoming();
}

function checkOthers(details: object, what: string): void {
  const [other] = Object.keys(defined(details));
  if (other) throw unsupported(`${other} in the preview of ${what}`, 'subscription_details');
}

function nothingUpcoming(): never {
  throw invalid('No upcoming invoices for customer', undefined, 'invoice_upcoming_none');
}

/** Ends the period as of its end. */
function renewEarly(account: Account, id: string): void {
  const subscription = account.tables.subscriptions.one(id);
  if (subscription.ended_at !== null || subscription.status === 'paused') return;
  account.pretend(spanOf(subscription).end, () => endPeriod(account, id));
}
