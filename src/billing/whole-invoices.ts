/** Invoices at Stripe with all their lines: a list carries ten of each. */
import type Stripe from 'stripe';

/** @example for await (const { lines } of wholeInvoices(stripe, { customer })) … // newest first */
export async function* wholeInvoices(
  { invoices }: Stripe,
  filter: Stripe.InvoiceListParams,
): AsyncGenerator<Stripe.Invoice> {
  for await (const invoice of invoices.list({ limit: 100, ...filter })) {
    if (invoice.lines.has_more) {
      const rest = invoices.listLineItems(invoice.id as string, { limit: 100 });
      invoice.lines.data = await rest.autoPagingToArray({ limit: 10_000 });
    }
    yield invoice;
  }
}
