/** What stands at Stripe for a month, tenant by tenant: to be laid beside our plan invoices. */
import type { Books } from './books.js';
import type { InvoicedLine } from './invoiced-line.js';
import { readStripeSide } from './read-stripe-side.js';

/**
 * @returns by tenant the lines that belong to the plan invoice of the month, void ones left out
 * @example (await readInvoicedLines(books, { month: '2025-11' })).get('acme-corp')
 */
export async function readInvoicedLines(
  books: Books,
  { month }: { month: string },
): Promise<Map<string, InvoicedLine[]>> {
  const side = await readStripeSide(books);
  return new Map(
    [...side.values()].map(({ tenantId, lines }) => [
      tenantId,
      lines.filter((line) => line.month === month && line.status !== 'void'),
    ]),
  );
}
