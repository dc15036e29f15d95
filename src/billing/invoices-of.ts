/** A customer's invoices at Stripe, in the kit's words. */
import type Stripe from 'stripe';
import { type BillingContext, fromSeconds } from './context.js';
import type { StripeInvoice } from './shapes.js';
import { wholeInvoices } from './whole-invoices.js';

/** The work of {@link StripeBillingManager.invoicesOf}. */
export async function invoicesOf({ stripe }: BillingContext, customerId: string): Promise<StripeInvoice[]> {
  const invoices: StripeInvoice[] = [];
  for await (const invoice of wholeInvoices(stripe, { customer: customerId }))
    invoices.push(shapeOf(invoice));
  return invoices.reverse();
}

function shapeOf(invoice: Stripe.Invoice): StripeInvoice {
  return {
    invoiceId: invoice.id as string,
    number: invoice.number,
    status: invoice.status ?? 'draft',
    reason: invoice.billing_reason ?? 'manual',
    created: fromSeconds(invoice.created),
    totalCents: invoice.total,
    paidCents: invoice.amount_paid,
    lines: invoice.lines.data.map(({ description, quantity, amount }) => ({
      description: description ?? '',
      quantity: quantity ?? 1,
      amountCents: amount,
    })),
  };
}
