/** A month's lines, ours beside Stripe's: what is compared with what. */
import type { PlanName } from '../../plans.js';
import type { ExpectedLine } from './expected-lines.js';
import type { InvoicedLine } from './invoiced-line.js';

/** What is compared: the fee, or the usage, of one plan from one day on. */
export interface Entry {
  readonly key: string;
  readonly kind: InvoicedLine['kind'];
  readonly plan: PlanName | null;
  readonly first: ExpectedLine | InvoicedLine;
  readonly expected: readonly ExpectedLine[];
  readonly found: readonly InvoicedLine[];
  /** Of invoices that are void, or drafts that nobody finalizes, or without one to come: they bill nothing. */
  readonly unbilled: readonly InvoicedLine[];
}

export function entriesOf(expected: readonly ExpectedLine[], lines: readonly InvoicedLine[]): Entry[] {
  const firsts = new Map<string, ExpectedLine | InvoicedLine>();
  for (const line of [...expected, ...lines]) if (!firsts.has(keyOf(line))) firsts.set(keyOf(line), line);
  return [...firsts].map(([key, first]) => {
    const theirs = lines.filter((line) => keyOf(line) === key);
    return {
      key,
      kind: first.kind,
      plan: first.plan,
      first,
      expected: expected.filter((line) => keyOf(line) === key),
      found: theirs.filter(isBilled),
      unbilled: theirs.filter((line) => !isBilled(line)),
    };
  });
}

/** The entry that a line stands in. */
export function entryOf(entries: readonly Entry[], line: InvoicedLine): Entry {
  return entries.find(({ key }) => key === keyOf(line)) as Entry;
}

/** A fee and its credit, or the two tiers of one usage, are one entry: they are judged by their sum. */
const keyOf = ({ kind, plan, first_day, description }: ExpectedLine | InvoicedLine) =>
  [kind, plan ?? description, first_day].join(' ');

/** What somebody put there by hand stays in sight. */
const isBilled = ({ status, kind }: InvoicedLine) =>
  status !== 'void' && status !== 'held' && (status !== 'stranded' || kind === 'other');

export const centsOf = (lines: readonly { amount_cents: number }[]): number =>
  lines.reduce((sum, { amount_cents }) => sum + amount_cents, 0);

export const quantityOf = (lines: readonly { quantity: number }[]): number =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0);
