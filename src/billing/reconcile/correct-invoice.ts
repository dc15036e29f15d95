/**
 * A correction at Stripe, once for each revision: by its name, since Stripe forgets an idempotency key after a
 * day. What was too little waits for the next invoice. What was too much has an invoice of its own, which puts
 * it on the customer's balance at once, for the next invoice to use up: as an item it might wait for the last
 * one, and what that comes to below 0 Stripe writes off.
 */
import type Stripe from 'stripe';
import { dayOf } from '../../period.js';
import { CORRECTS } from './plan-lines-of.js';
import type { Correction } from './repair.js';

/**
 * @param draft the one that it corrects, which may have it as a line while it is no final invoice
 * @example await correctInvoice(stripe, correction);
 */
export async function correctInvoice(
  stripe: Stripe,
  correction: Correction,
  { draft }: { draft?: string } = {},
): Promise<void> {
  const { customerId: customer, subscriptionId: subscription, amountCents } = correction;
  const name = nameOf(correction);
  const params = itemOf(correction, name);
  for await (const { metadata } of stripe.invoiceItems.list({ customer, limit: 100 }))
    if (metadata?.[CORRECTS.name] === name) return;
  if (draft || amountCents > 0) {
    const place = draft ? { invoice: draft } : { subscription };
    await stripe.invoiceItems.create({ ...params, ...place }, { idempotencyKey: name });
    return;
  }
  const description = 'A credit for an earlier invoice';
  // Finalized by itself, if a kill leaves it as a draft.
  const { id: invoice = '' } = await stripe.invoices.create(
    { customer, description, auto_advance: true, pending_invoice_items_behavior: 'exclude' },
    { idempotencyKey: `${name}:invoice` },
  );
  await stripe.invoiceItems.create({ ...params, invoice }, { idempotencyKey: name });
  await stripe.invoices.finalizeInvoice(invoice, {}, { idempotencyKey: `${name}:finalize` });
}

const nameOf = ({ tenantId, month, kind, plan, period, revision }: Correction) =>
  `correction:${tenantId}:${month}:${kind}:${plan}:${dayOf(period.start)}:${revision}`;

function itemOf(correction: Correction, name: string) {
  const { tenantId, month, kind, plan, period } = correction;
  return {
    customer: correction.customerId,
    currency: 'usd',
    amount: correction.amountCents,
    description: `${correction.words}, corrected for ${month}`,
    period: { start: period.start.getTime() / 1_000, end: period.end.getTime() / 1_000 },
    metadata: {
      tenant_id: tenantId,
      [CORRECTS.name]: name,
      [CORRECTS.month]: month,
      [CORRECTS.kind]: kind,
      [CORRECTS.plan]: plan,
      [CORRECTS.queries]: String(correction.queries),
    },
  };
}
