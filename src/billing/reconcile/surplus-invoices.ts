/**
 * Invoices that nobody paid and that bill nothing but what is billed elsewhere, as those of a subscription that
 * was made by mistake. They are to be withdrawn: a credit would leave them open, and their tenant be chased.
 */
import type { Month } from '../../period.js';
import { centsOf, type Entry, entryOf, quantityOf } from './entries.js';
import type { InvoicedLine } from './invoiced-line.js';
import type { StripeTenant } from './stripe-tenant.js';

const UNPAID: readonly string[] = ['draft', 'open', 'uncollectible'];

/** @returns the lines of each such invoice */
export function surplusInvoices(
  entries: readonly Entry[],
  { lines, subscriptions }: Pick<StripeTenant, 'lines' | 'subscriptions'>,
  month: Month,
): InvoicedLine[][] {
  const surplus: InvoicedLine[][] = [];
  const ids = new Set(entries.flatMap(({ found }) => found.map(({ invoiceId }) => invoiceId)));
  ids.delete(null);
  for (const id of ids) {
    const own = lines.filter(({ invoiceId }) => invoiceId === id);
    const isDouble = own.every(
      (line) =>
        UNPAID.includes(line.status) &&
        line.subscriptionId !== (subscriptions[0]?.id ?? null) &&
        line.month === month.name &&
        line.kind !== 'other' &&
        !line.corrects,
    );
    const gone = [...surplus.flat(), ...own];
    const isBilledElsewhere = () => own.every((line) => isCovered(entryOf(entries, line), gone));
    if (isDouble && centsOf(own) > 0 && isBilledElsewhere()) surplus.push(own);
  }
  return surplus;
}

/** Whether what is expected is there without these lines. */
function isCovered({ kind, expected, found }: Entry, gone: readonly InvoicedLine[]): boolean {
  const rest = found.filter((line) => !gone.includes(line));
  const isCounted = kind !== 'usage' || quantityOf(rest) >= quantityOf(expected);
  return isCounted && centsOf(rest) >= centsOf(expected);
}
