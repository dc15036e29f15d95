/** Previews: what a change or the next renewal would bill. Everything is done, read, and taken back. */
import { z } from 'zod';
import { invalid, unsupported } from '../http/api-error.js';
import { choice, flag, id, list, timestamp } from '../http/parameters.js';
import type { Account } from '../state/account.js';
import { nulls } from '../state/stored.js';
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
  const made = account.journal.tentative(() => {
    const cause = account.cause;
    // A preview changes nothing, so it may be made while a clock advances.
    account.cause = null;
    try {
      return params.subscription
        ? previewChange(account, params.subscription, params)
        : previewNew(account, params);
    } finally {
      account.cause = cause;
    }
  });
  return {
    ...made,
    id: made.id.replace(/^in_/, 'upcoming_in_'),
    ...asDraft(made),
    ...(made.billing_reason === 'subscription_cycle' && { billing_reason: 'upcoming' }),
  };
}

/** As it would be made: what its finalization and its payment would add is not so yet. */
function asDraft({ amount_due: due }: Invoice): Partial<Invoice> {
  return {
    amount_paid: 0,
    amount_remaining: due,
    attempt_count: 0,
    attempted: false,
    automatically_finalizes_at: null,
    effective_at: null,
    ending_balance: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    number: null,
    status: 'draft',
    status_transitions: nulls('finalized_at marked_uncollectible_at paid_at voided_at'),
  };
}

function previewNew(
  account: Account,
  { customer, subscription_details: details = {} }: PreviewParams,
): Invoice {
  const { items = [], trial_end, billing_cycle_anchor: anchor, ...rest } = details;
  if (!customer || items.length === 0) {
    throw invalid('A preview needs a subscription, or a customer and items.', { param: 'subscription' });
  }
  const [other] = Object.entries(rest).filter(([, value]) => value !== undefined);
  if (other) throw unsupported(`${other[0]} in the preview of a new subscription`, 'subscription_details');
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
    throw invalid(`The subscription ${id} is not the customer’s.`, { param: 'subscription' });
  }
  const { cancel_now: cancels, billing_cycle_anchor: anchor, ...change } = details;
  if (anchor?.type === 'timestamp') {
    throw invalid('A subscription’s anchor moves to `now` only.', { param: 'billing_cycle_anchor' });
  }
  if (cancels) {
    const { proration_behavior: behavior, ...rest } = { ...change, billing_cycle_anchor: anchor };
    const [other] = Object.entries(rest).filter(([, value]) => value !== undefined);
    if (other) throw unsupported(`${other[0]} in the preview of a cancellation`, 'subscription_details');
    cancelNow(account, id, { invoice_now: true, prorate: behavior !== 'none' });
  } else {
    const moved = anchor && { billing_cycle_anchor: { type: anchor.type } };
    changeSubscription(account, id, { ...change, ...moved }, { isPreview: true });
  }
  let latest = subscriptions.one(id).latest_invoice;
  if (latest === before.latest_invoice && !cancels) {
    renewEarly(account, id);
    latest = subscriptions.one(id).latest_invoice;
  }
  return latest && latest !== before.latest_invoice ? invoices.one(latest) : nothingUpcoming();
}

function nothingUpcoming(): never {
  throw invalid('No upcoming invoices for customer', { code: 'invoice_upcoming_none' });
}

/** Ends the period as of its end. */
function renewEarly(account: Account, id: string): void {
  const subscription = account.tables.subscriptions.one(id);
  if (subscription.ended_at !== null || subscription.status === 'paused') return;
  account.pretend(spanOf(subscription).end, () => endPeriod(account, id));
}
