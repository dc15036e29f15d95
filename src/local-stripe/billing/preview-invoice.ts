/** Previews: what a change of plan or the next renewal would bill. Everything is done, read, and taken back. */
import { z } from 'zod';
import { invalid } from '../http/api-error.js';
import { id, list, timestamp } from '../http/parameters.js';
import type { Account } from '../state/account.js';
import type { Invoice } from '../state/tables.js';
import { spanOf } from './billing-period.js';
import { changeSubscription } from './change-subscription.js';
import { endPeriod } from './end-period.js';
import { changedItem, prorationBehavior } from './subscription-params.js';

export const previewShape = {
  customer: id.optional(),
  subscription: id,
  subscription_details: z
    .strictObject({
      items: list(changedItem, 20).optional(),
      proration_behavior: prorationBehavior.optional(),
      proration_date: timestamp.optional(),
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
  { customer, subscription: id, subscription_details: change = {} }: PreviewParams,
): Invoice {
  const { subscriptions, invoices } = account.tables;
  const before = subscriptions.one(id, 'subscription');
  if (customer !== undefined && before.customer !== customer) {
    throw invalid(`The subscription ${id} is not the customer’s.`, 'subscription');
  }
  const latest = () => subscriptions.one(id).latest_invoice;
  changeSubscription(account, id, change);
  if (latest() === before.latest_invoice) renewEarly(account, id);
  if (latest() !== before.latest_invoice) return invoices.one(latest() ?? '');
  throw invalid('No upcoming invoices for customer', undefined, 'invoice_upcoming_none');
}

/** Ends the period as of its end. */
function renewEarly(account: Account, id: string): void {
  const subscription = account.tables.subscriptions.one(id);
  if (subscription.ended_at !== null || subscription.status === 'paused') return;
  account.pretend(spanOf(subscription).end, () => endPeriod(account, id));
}
