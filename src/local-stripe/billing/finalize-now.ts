/** Finalization under a paused collection, which decides what becomes of an invoice. */
import type { Account } from '../state/account.js';
import { type Invoice, subscriptionOf } from '../state/tables.js';
import { advance } from './draft-invoice.js';
import { finalizeInvoice } from './finalize-invoice.js';
import { markUncollectible, voidInvoice } from './write-off.js';

/** Finalizes an invoice at once, unless drafts are kept; it is open when it is to be collected. */
export function finalizeNow(account: Account, id: string): Invoice {
  const draft = account.tables.invoices.one(id);
  if (pauseOf(account, draft) === 'keep_as_draft') return advance(account, draft, false);
  return followPause(account, finalizeInvoice(account, id));
}

/** A final invoice that is not to be collected is written off. */
export function followPause(account: Account, invoice: Invoice): Invoice {
  const pause = invoice.status === 'open' ? pauseOf(account, invoice) : undefined;
  if (pause === 'void') return voidInvoice(account, invoice.id);
  if (pause === 'mark_uncollectible') return markUncollectible(account, invoice.id);
  return invoice;
}

function pauseOf({ tables }: Account, invoice: Invoice) {
  return tables.subscriptions.get(subscriptionOf(invoice))?.pause_collection?.behavior;
}
