/** A customer's invoices at Stripe, in the kit's words. */
import type Stripe from 'stripe';
import type { BillingContext } from './context.js';
import type { StripeInvoice } from './shapes.js';

/** The work of {@link StripeBillingManager.invoicesOf}. */
export async function invoicesOf({ stripe }: BillingContext, customerId: string): Promise<StripeInvoice[]> {
  const invoices: StripeInvoice[] = [];
  for await (const invoice of stripe.invoices.list({ customer: customerId, limit: 100 })) {
    // A list carries ten lines of each; an invoice with more is asked for all of them.
    const lines = invoice.lines.has_more
      ? await stripe.invoices
          .listLineItems(invoice.id as string, { limit: 100 })
          .autoPagingToArray({ limit: 10_000 })
      : invoice.lines.data;
    invoices.push(shapeOf(invoice, lines));
  }
  return invoices.reverse();
}

function shapeOf(invoice: Stripe.Invoice, lines: readonly Stripe.InvoiceLineItem[]): StripeInvoice {
  return {
    invoiceId: invoice.id as string,
    number: invoice.number,
    status: invoice.status ?? 'draft',
    reason: invoice.billing_reason ?? 'manual',
    created: new Date(invoice.created * 1_000),
    totalCents: invoice.total,
    paidCents: invoice.amount_paid,
    lines: lines.map(({ description, quantity, amount }) => ({
      description: description ?? '',
      quantity: quantity ?? 1,
      amountCents: amount,
    })),
  };
}
