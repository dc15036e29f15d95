/** The one way in which a subscription that has begun is billed. */
import type { Account } from '../state/account.js';
import type { Invoice, Subscription } from '../state/tables.js';
import { type DraftOptions, draftInvoice } from './draft-invoice.js';
import { pendingItems } from './pending-items.js';

export interface Bill extends Pick<DraftOptions, 'reason' | 'lines' | 'usage' | 'autoAdvance'> {
  /** Where the invoice's period starts; it ends now. */
  readonly start: number;
}

/** A draft of these lines, of usage, and of what is pending; none when there is nothing. */
export function billSubscription(
  account: Account,
  subscription: Subscription,
  bill: Bill,
): Invoice | undefined {
  const { customer, id } = subscription;
  const { lines = [], usage = [], start, ...rest } = bill;
  const pending = pendingItems(account, customer, id);
  if (lines.length + usage.length + pending.length === 0) return undefined;
  const period = { start, end: account.customer(customer).now };
  return draftInvoice(account, { customer, subscription, lines, usage, pending, period, ...rest });
}
