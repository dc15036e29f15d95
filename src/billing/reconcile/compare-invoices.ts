/** Our plan invoice of a month ↔ what stands at Stripe for it, line by line, in cents and queries. */
import { type Month, parseDay } from '../../period.js';
import type { InvoiceDifference, UsageDifference } from './difference.js';
import { centsOf, type Entry, entriesOf, entryOf, quantityOf } from './entries.js';
import type { ExpectedLine } from './expected-lines.js';
import type { InvoicedLine } from './invoiced-line.js';
import type { Repair } from './repair.js';
import { customerOf, type StripeTenant } from './stripe-tenant.js';
import { surplusInvoices } from './surplus-invoices.js';

type Compared = InvoiceDifference | UsageDifference;

export function compareInvoices(
  theirs: StripeTenant,
  expected: readonly ExpectedLine[],
  month: Month,
): Compared[] {
  const lines = theirs.lines.filter((line) => line.month === month.name);
  const entries = entriesOf(expected, lines);
  const surplus = surplusInvoices(entries, theirs, month);
  // What is withdrawn must not be credited too. Of an invoice that bills other things as well the surplus is
  // credited: it is owed whole, the credit is used by the next one, and both together are what is due.
  const rest = lines.filter((line) => !surplus.flat().includes(line));
  return [
    ...surplus.map((own) => surplusDifference(own, entries, theirs, month)),
    ...entriesOf(expected, rest).flatMap((entry) => differenceOf(entry, theirs, month) ?? []),
  ];
}

function surplusDifference(
  lines: readonly InvoicedLine[],
  entries: readonly Entry[],
  { tenantId, subscriptions }: StripeTenant,
  { name: month }: Month,
): Compared {
  const first = lines.find(isCharge) as InvoicedLine;
  const { invoiceId, subscriptionId } = first;
  const foundCents = centsOf(lines);
  const isFirstOf = subscriptions.find(({ id, status }) => id === subscriptionId && status === 'incomplete');
  const repair: Repair = isFirstOf
    ? { does: 'nothing', why: `${subscriptionId} is incomplete, and would end with ${invoiceId}` }
    : { does: 'void invoice', invoiceId: invoiceId ?? '', amountCents: foundCents };
  const name = entryOf(entries, first).expected.length > 0 ? 'duplicate' : 'extra';
  const facts = { tenantId, month, line: lineOf(first), expectedCents: 0, foundCents, repair };
  return { subject: 'invoice', class: name, ...facts };
}

function differenceOf(entry: Entry, theirs: StripeTenant, month: Month): Compared | undefined {
  const { kind, first, expected, found } = entry;
  const isUsage = kind === 'usage';
  if (found.length === 0 && !expected.some(({ isDue }) => isDue)) return undefined;
  // A draft's usage is still added up.
  if (isUsage && found.some(({ status, corrects }) => status === 'draft' && !corrects)) return undefined;
  const [due, billed] = [quantityOf(expected), quantityOf(found)];
  const [expectedCents, foundCents] = [centsOf(expected), centsOf(found)];
  const queries = isUsage ? due - billed : 0;
  const amountCents = expectedCents - foundCents;
  const isLate = parseDay(first.first_day).start < month.start;
  // Where Stripe billed nothing and nothing was due, there is no line to compare.
  if (amountCents === 0 && (queries === 0 || (found.length === 0 && !isLate))) return undefined;
  const repair = repairOf(entry, theirs, { month: month.name, queries, amountCents });
  const facts = { tenantId: theirs.tenantId, month: month.name, repair };
  const isDouble = found.filter(isCharge).length > 1 && subscriptionsOf(found).size > 1;
  if (isUsage && queries !== 0 && !isDouble && (found.length > 0 || isLate)) {
    const late = { day: first.first_day, expected: due, found: billed, amountCents };
    return { subject: 'usage', class: 'late', ...facts, ...late };
  }
  const cents = { line: lineOf(first), expectedCents, foundCents };
  return { subject: 'invoice', class: classOf(entry, isDouble), ...facts, ...cents };
}

const lineOf = ({ description, first_day }: Entry['first']) => `${description} from ${first_day}`;

function classOf({ expected, found }: Entry, isDouble: boolean): InvoiceDifference['class'] {
  if (isDouble) return 'duplicate';
  if (found.length === 0) return 'missing';
  return expected.length === 0 ? 'extra' : 'amount';
}

function repairOf(
  entry: Entry,
  theirs: StripeTenant,
  { month, queries, amountCents }: { month: string; queries: number; amountCents: number },
): Repair {
  const { kind, plan, first, found, unbilled } = entry;
  const subscription = theirs.subscriptions[0];
  const customerId = customerOf(theirs);
  if (kind === 'other' || !plan)
    return { does: 'nothing', why: `somebody put it there: ${first.description}` };
  const left = unbilled.find(({ invoiceId }) => invoiceId);
  if (left && found.length === 0) return { does: 'nothing', why: whyLeft(left, theirs) };
  if (holdsOlderPrice(entry, theirs)) return { does: 'nothing', why: 'an older price holds' };
  if (!subscription?.isLive || !customerId)
    return { does: 'nothing', why: 'without a subscription there is no next invoice' };
  const { start } = parseDay(first.first_day);
  return {
    does: 'correct invoice',
    correction: {
      tenantId: theirs.tenantId,
      customerId,
      subscriptionId: subscription.id,
      month,
      kind,
      plan,
      words: kind === 'usage' ? `${plan} queries` : first.description,
      period: { start, end: parseDay(first.last_day).end },
      queries,
      amountCents,
      // One on a void invoice counts too: its name is taken.
      revision: [...found, ...unbilled].filter(({ corrects }) => corrects).length + 1,
    },
  };
}

function whyLeft({ invoiceId, status, period }: InvoicedLine, { lines }: StripeTenant): string {
  // What was added to an invoice by hand has no subscription of its own.
  const onIt = lines.filter((line) => line.invoiceId === invoiceId);
  const isHeldBack = lines.some(
    (line) =>
      onIt.some(({ subscriptionId }) => subscriptionId && subscriptionId === line.subscriptionId) &&
      (line.status === 'open' || line.status === 'uncollectible') &&
      line.period.start < period.start,
  );
  return status === 'held' && isHeldBack
    ? `${invoiceId} is held back until an earlier invoice is paid`
    : `somebody left ${invoiceId} ${status}`;
}

/** Who subscribed at a price keeps it; our lines know today's alone, so what they differ by is nobody's debt. */
const holdsOlderPrice = ({ plan, found }: Entry, { subscriptions, lines }: StripeTenant) =>
  (found.length > 0 ? found : [...subscriptions, ...lines]).some(
    (one) => one.plan === plan && one.hasOlderPrice,
  );

const isCharge = ({ amount_cents, corrects, kind }: InvoicedLine) =>
  !corrects && (kind === 'usage' || amount_cents > 0);
const subscriptionsOf = (lines: readonly InvoicedLine[]) =>
  new Set(lines.filter(isCharge).map(({ subscriptionId }) => subscriptionId));
