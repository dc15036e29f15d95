/** Our plan invoice of a month ↔ what stands at Stripe for it, line by line, in cents and queries. */
import { type Month, parseDay } from '../../period.js';
import type { PlanName } from '../../plans.js';
import type { InvoiceDifference, UsageDifference } from './difference.js';
import type { ExpectedLine } from './expected-lines.js';
import type { InvoicedLine } from './invoiced-line.js';
import type { Repair } from './repair.js';
import { customerOf, type StripeTenant } from './stripe-tenant.js';

/** What is compared: the fee, or the usage, of one plan from one day on. */
interface Entry {
  readonly kind: InvoicedLine['kind'];
  readonly plan: PlanName | null;
  readonly first: ExpectedLine | InvoicedLine;
  readonly expected: readonly ExpectedLine[];
  readonly found: readonly InvoicedLine[];
  /** Of invoices that are void, or drafts that nobody finalizes: they bill nothing. */
  readonly unbilled: readonly InvoicedLine[];
}

export function compareInvoices(
  theirs: StripeTenant,
  expected: readonly ExpectedLine[],
  month: Month,
): (InvoiceDifference | UsageDifference)[] {
  const lines = theirs.lines.filter((line) => line.month === month.name);
  return entriesOf(expected, lines).flatMap((entry) => differenceOf(entry, theirs, month) ?? []);
}

function entriesOf(expected: readonly ExpectedLine[], lines: readonly InvoicedLine[]): Entry[] {
  const firsts = new Map<string, ExpectedLine | InvoicedLine>();
  for (const line of [...expected, ...lines]) if (!firsts.has(keyOf(line))) firsts.set(keyOf(line), line);
  return [...firsts].map(([key, first]) => {
    const theirs = lines.filter((line) => keyOf(line) === key);
    return {
      kind: first.kind,
      plan: first.plan,
      first,
      expected: expected.filter((line) => keyOf(line) === key),
      found: theirs.filter(isBilled),
      unbilled: theirs.filter((line) => !isBilled(line)),
    };
  });
}

/** A fee and its credit, or the two tiers of one usage, are one entry: they are judged by their sum. */
const keyOf = ({ kind, plan, first_day, description }: ExpectedLine | InvoicedLine) =>
  [kind, plan ?? description, first_day].join(' ');

function differenceOf(
  entry: Entry,
  theirs: StripeTenant,
  month: Month,
): InvoiceDifference | UsageDifference | undefined {
  const { kind, first, expected, found } = entry;
  const isUsage = kind === 'usage';
  if (found.length === 0 && !expected.some(({ isDue }) => isDue)) return undefined;
  // A draft's usage is still added up.
  if (isUsage && found.some(({ status, corrects }) => status === 'draft' && !corrects)) return undefined;
  const queries = isUsage ? quantityOf(expected) - quantityOf(found) : 0;
  const amountCents = centsOf(expected) - centsOf(found);
  const isLate = parseDay(first.first_day).start < month.start;
  // Where Stripe billed nothing and nothing was due, there is no line to compare.
  if (amountCents === 0 && (queries === 0 || (found.length === 0 && !isLate))) return undefined;
  const facts = { tenantId: theirs.tenantId, month: month.name };
  const repair = repairOf(entry, theirs, { month: month.name, queries, amountCents });
  const isDouble = found.filter(isCharge).length > 1 && subscriptionsOf(found).size > 1;
  if (isUsage && queries !== 0 && !isDouble && (found.length > 0 || isLate))
    return {
      subject: 'usage',
      class: 'late',
      ...facts,
      day: first.first_day,
      expected: quantityOf(expected),
      found: quantityOf(found),
      amountCents,
      repair,
    };
  return {
    subject: 'invoice',
    class: classOf(entry, isDouble),
    ...facts,
    line: `${first.description} from ${first.first_day}`,
    expectedCents: centsOf(expected),
    foundCents: centsOf(found),
    repair,
  };
}

function classOf({ expected, found }: Entry, isDouble: boolean): InvoiceDifference['class'] {
  if (isDouble) return 'duplicate';
  if (found.length === 0) return 'missing';
  return expected.length === 0 ? 'extra' : 'amount';
}

function repairOf(
  { kind, plan, first, found, unbilled }: Entry,
  theirs: StripeTenant,
  { month, queries, amountCents }: { month: string; queries: number; amountCents: number },
): Repair {
  const subscription = theirs.subscriptions[0];
  const customerId = customerOf(theirs);
  if (kind === 'other' || !plan)
    return { does: 'nothing', why: `somebody put it there: ${first.description}` };
  const [held] = unbilled;
  if (held && found.length === 0)
    return { does: 'nothing', why: `somebody left ${held.invoiceId} ${held.status}` };
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
      words: first.description,
      period: { start, end: parseDay(first.last_day).end },
      queries,
      amountCents,
      // One on a void invoice counts too: its name is taken.
      revision: [...found, ...unbilled].filter(({ corrects }) => corrects).length + 1,
    },
  };
}

const isBilled = ({ status }: InvoicedLine) => status !== 'void' && status !== 'held';
const centsOf = (lines: readonly { amount_cents: number }[]) =>
  lines.reduce((sum, { amount_cents }) => sum + amount_cents, 0);
const quantityOf = (lines: readonly { quantity: number }[]) =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0);
const isCharge = ({ amount_cents, corrects, kind }: InvoicedLine) =>
  !corrects && (kind === 'usage' || amount_cents > 0);
const subscriptionsOf = (lines: readonly InvoicedLine[]) =>
  new Set(lines.filter(isCharge).map(({ subscriptionId }) => subscriptionId));
