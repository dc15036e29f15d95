/** What is to be done to a tenant now, and the words for it. */
import { formatCents } from '../money.js';
import type { DunningRecord } from './dunning-ledger.js';
import type { Unpaid } from './find-unpaid.js';
import type { DunningAction, DunningStep } from './ladder.js';
import { doneFor, newestStep } from './records.js';

/** What the tenant is told. */
const WORDS: Readonly<Record<DunningAction, (amount: string) => string>> = {
  reminder_sent: (amount) => `Your payment of $${amount} did not go through; please look at your card`,
  warning_sent: (amount) => `$${amount} are still open; in three days your limits are halved`,
  rate_limit_reduced: (amount) => `$${amount} are still open; your limits are halved until they are paid`,
  service_suspended: (amount) => `$${amount} are still open; the service is suspended until they are paid`,
};

/** Something to be done to a tenant, and what it is told. */
export type Step<Action> = { readonly about: string; readonly action: Action; readonly text: string };

/** The steps that are due and were not done. */
export function newSteps(
  records: readonly DunningRecord[],
  { invoiceId: about, amountCents }: Unpaid,
  due: readonly DunningStep[],
): Step<DunningAction>[] {
  const done = doneFor(records, about);
  const amount = formatCents(BigInt(amountCents));
  return due
    .filter(({ action }) => !done.has(action))
    .map(({ action }) => ({ about, action, text: WORDS[action](amount) }));
}

/** To one who was chased and owes nothing any more. */
export function thanks(records: readonly DunningRecord[]): Step<'reactivated'>[] {
  const newest = newestStep(records);
  if (!newest || newest.action === 'reactivated') return [];
  const text = 'Thank you, all is paid; your limits are as before';
  return [{ about: newest.about, action: 'reactivated', text }];
}

/** One of several invoices was paid: the tenant stands better, and has nothing to be told. */
export const SILENT = { about: '', action: 'standing_changed', text: '' };
