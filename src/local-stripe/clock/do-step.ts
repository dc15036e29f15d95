/** What happens when its time has come. */
import { collectPayment } from '../billing/collect-payment.js';
import { endPeriod } from '../billing/end-period.js';
import { endSubscription } from '../billing/end-subscription.js';
import { finalizeInvoice } from '../billing/finalize-invoice.js';
import { followPause } from '../billing/finalize-now.js';
import { changeStatus } from '../billing/settle-subscription.js';
import { voidInvoice } from '../billing/write-off.js';
import type { Account } from '../state/account.js';
import type { DueRow } from '../state/rows.js';
import { subscriptionOf } from '../state/tables.js';

const HOUR = 3_600;
/** An invoice whose creation a webhook endpoint did not confirm is finalized after this time at the latest. */
const LONGEST_WAIT = 72 * HOUR;

/** What each step does to its subscription or invoice. */
const DO: { readonly [Step in DueRow['step']]: (account: Account, subject: string) => void } = {
  end_period: endPeriod,
  trial_will_end: (account, id) =>
    account.emit('customer.subscription.trial_will_end', account.tables.subscriptions.one(id)),
  expire_incomplete: expireIncomplete,
  finalize: finalizeByItself,
  pass_due_date: passDueDate,
  retry: (account, id) => void collectPayment(account, id, { automatic: true }),
};

/** Does a step and takes it off the clock, all in one. */
export function doStep(account: Account, { id, step, subject }: DueRow): void {
  account.tables.due.delete(id);
  DO[step](account, subject);
}

function passDueDate(account: Account, id: string): void {
  const { invoices, subscriptions } = account.tables;
  const subscription = subscriptions.get(subscriptionOf(invoices.one(id)));
  if (subscription?.status === 'active') changeStatus(account, subscription, 'past_due');
}

function finalizeByItself(account: Account, id: string): void {
  const { deliveries, invoices } = account.tables;
  const draft = invoices.one(id);
  const { now } = account.customer(draft.customer);
  const unconfirmed = deliveries.by('about', `invoice.created/${id}`).some(({ attempts }) => attempts > 0);
  if (unconfirmed && now < draft.created + LONGEST_WAIT) {
    account.schedule('finalize', draft, now + HOUR);
    return;
  }
  const invoice = followPause(account, finalizeInvoice(account, id));
  if (invoice.status === 'open' && invoice.collection_method === 'charge_automatically')
    collectPayment(account, id, { automatic: true });
}

/** The first invoice was not paid in time: the subscription never begins. */
function expireIncomplete(account: Account, id: string): void {
  const subscription = account.tables.subscriptions.one(id);
  const { latest_invoice: latest } = subscription;
  if (latest && account.tables.invoices.one(latest).status === 'open') voidInvoice(account, latest);
  endSubscription(account, account.tables.subscriptions.one(id), {
    reason: 'payment_failed',
    status: 'incomplete_expired',
  });
}
