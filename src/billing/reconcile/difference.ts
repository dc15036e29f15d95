/** What a reconciliation finds: one difference is one fact that two sides tell differently. */
import { formatCents } from '../../money.js';
import { type Repair, wordsOf } from './repair.js';

interface Found {
  readonly tenantId: string;
  readonly repair: Repair;
}

/**
 * Queries of a UTC day here, and at Stripe's meter. `duplicate`: the meter has the day several times over.
 * `late`: the day, or its segment of the month, is on a final invoice, which the meter no longer mends.
 */
export interface UsageDifference extends Found {
  readonly subject: 'usage';
  readonly class: 'missing' | 'extra' | 'duplicate' | 'amount' | 'late';
  readonly month: string;
  /** The day; of `late` usage the first day of the segment that was invoiced. */
  readonly day: string;
  /** Queries. */
  readonly expected: number;
  readonly found: number;
  /** What was invoiced too little, of `late` usage. */
  readonly amountCents?: number;
}

/** A tenant here, and its subscription at Stripe. `state`: both are there and say other things. */
export interface SubscriptionDifference extends Found {
  readonly subject: 'subscription';
  readonly class: 'missing' | 'extra' | 'duplicate' | 'state';
  /** In words, e.g. `active` and `canceled`. */
  readonly expected: string;
  readonly found: string;
}

/** A line of our plan invoice, and what stands at Stripe for it. */
export interface InvoiceDifference extends Found {
  readonly subject: 'invoice';
  readonly class: 'missing' | 'extra' | 'duplicate' | 'amount';
  readonly month: string;
  /** e.g. `pro base fee from 2025-12-01` */
  readonly line: string;
  readonly expectedCents: number;
  readonly foundCents: number;
}

export type Difference = UsageDifference | SubscriptionDifference | InvoiceDifference;

/** A difference as a row of a table; queries are numbers, money is text. */
export interface DifferenceRow {
  readonly subject: Difference['subject'];
  readonly class: Difference['class'];
  readonly tenant: string;
  readonly what: string;
  readonly expected: number | string;
  readonly found: number | string;
  readonly repair: string;
}

/**
 * The differences as rows of a table.
 *
 * @example table(differenceRows(await reconcile(books)))
 */
export function differenceRows(differences: readonly Difference[]): DifferenceRow[] {
  return differences.map((difference) => ({
    subject: difference.subject,
    class: difference.class,
    tenant: difference.tenantId,
    ...factsOf(difference),
    repair: wordsOf(difference.repair),
  }));
}

/**
 * The list as lines of text, for a terminal; the last one counts.
 *
 * @example for (const line of differenceLines(await reconcile(books))) console.log(line);
 */
export function differenceLines(differences: readonly Difference[]): string[] {
  const lines = differenceRows(differences).map(
    ({ subject, class: name, tenant, what, expected, found, repair }) =>
      `${tenant}: ${subject} ${name}, ${what}: expected ${expected}, found ${found} → ${repair}`,
  );
  const byHand = differences.filter(({ repair }) => repair.does === 'nothing').length;
  const count = `${differences.length} difference${differences.length === 1 ? '' : 's'}`;
  return [...lines, `${count}, ${byHand} of them for a person`];
}

function factsOf(difference: Difference): Pick<DifferenceRow, 'what' | 'expected' | 'found'> {
  switch (difference.subject) {
    case 'usage': {
      const { day, expected, found, amountCents = 0 } = difference;
      const by = amountCents > 0 ? 'little' : 'much';
      const money = amountCents === 0 ? '' : `, $${formatCents(BigInt(Math.abs(amountCents)))} too ${by}`;
      return { what: `queries of ${day}${money}`, expected, found };
    }
    case 'subscription': {
      const { expected, found } = difference;
      return { what: 'as it stands now', expected, found };
    }
    case 'invoice': {
      const { month, line, expectedCents, foundCents } = difference;
      const [expected, found] = [expectedCents, foundCents].map((cents) => `$${formatCents(BigInt(cents))}`);
      return { what: `${month}: ${line}`, expected: expected ?? '', found: found ?? '' };
    }
    default:
      return difference satisfies never;
  }
}
