/** What is to be done to a tenant now, and the words for it. */
import type Stripe from 'stripe';
import { formatCents } from '../money.js';
import { dayOf } from '../period.js';
import type { Standing } from '../tenants/gate-entry.js';
import type { DunningRecord } from './dunning-ledger.js';
import { type Ending, endingOf } from './ending.js';
import type { Owing, Unpaid } from './find-unpaid.js';
import { type DunningAction, type DunningPolicy, dueSteps, nextStepAt } from './ladder.js';
import { doneFor, isLetGo, lastChase, standingAfter, standingOf } from './records.js';

/** What the tenant is told. */
const WORDS: Readonly<Record<DunningAction, (amount: string, next: string) => string>> = {
  reminder_sent: (amount) => `Your payment of $${amount} did not go through; please look at your card`,
  warning_sent: (amount, next) => `$${amount} are still open; your limits are halved ${next}`,
  rate_limit_reduced: (amount) => `$${amount} are still open; your limits are halved until they are paid`,
  service_suspended: (amount) => `$${amount} are still open; the service is suspended until they are paid`,
};

const LAST_WORDS: Readonly<Record<Ending, string>> = {
  paid: 'Thank you, all is paid; your limits are as before',
  // Its limits may be those of another subscription by now, or none.
  over: 'Thank you, all is paid',
  withdrawn: 'The invoice was withdrawn and need not be paid; your limits are as before',
  expired: 'The first payment was not made in time: the subscription did not begin, and nothing is owed',
  other: 'Your limits are as before',
};

/** Something to be done to a tenant, and what it is told. */
export type Step = {
  readonly about: string;
  readonly action: DunningAction | 'reactivated';
  readonly text: string;
};

/**
 * The steps that are due and were not done, and how the tenant stands by all that are due.
 *
 * @param owing none unpaid for one who owes nothing
 */
export async function newSteps(
  { stripe, policy, now }: { stripe: Stripe; policy: DunningPolicy; now: Date },
  records: readonly DunningRecord[],
  { unpaid, hasLeft }: Owing,
): Promise<{ steps: Step[]; standing: Standing }> {
  const owed = unpaid.filter((one) => !isLetGo(records, one));
  const [oldest] = owed;
  if (!oldest) return { steps: await lastStep(stripe, records), standing: 'good' };
  if (hasLeft) return { steps: lastReminder(records, owed), standing: standingOf(records) };
  const { invoiceId: about } = oldest;
  const due = dueSteps(policy, oldest, now).map(({ action }) => action);
  const done = doneFor(records, about);
  // A reminder is of one payment; what comes after it holds until all is paid.
  const amountFor = (action: DunningAction) =>
    formatCents(totalOf(action === 'reminder_sent' ? [oldest] : owed));
  const nextAt = nextStepAt(policy, oldest, now);
  const next = nextAt ? `on ${dayOf(nextAt)}` : 'next';
  const steps = due
    .filter((action) => !done.has(action))
    .map((action) => ({ about, action, text: WORDS[action](amountFor(action), next) }));
  return { steps, standing: standingAfter(due) };
}

const totalOf = (owed: readonly Unpaid[]) =>
  owed.reduce((sum, { amountCents }) => sum + BigInt(amountCents), 0n);

/** For one who has left: nothing is left to be slowed down, so it is reminded of its last invoice, once. */
function lastReminder(records: readonly DunningRecord[], owed: readonly Unpaid[]): Step[] {
  const about = owed.at(-1)?.invoiceId ?? '';
  if (doneFor(records, about).size > 0) return [];
  const text = `Your subscription has ended, and $${formatCents(totalOf(owed))} of it are still open; please pay them`;
  return [{ about, action: 'reminder_sent', text }];
}

/** For one who was chased and owes nothing any more. */
async function lastStep(stripe: Stripe, records: readonly DunningRecord[]): Promise<Step[]> {
  const chase = lastChase(records);
  if (!chase) return [];
  const text = LAST_WORDS[await endingOf(stripe, chase.about)];
  return [{ about: chase.about, action: 'reactivated', text }];
}

/** One of several invoices was paid: the tenant stands better, and has nothing to be told. */
export const SILENT = { about: '', action: 'standing_changed', text: '' };
