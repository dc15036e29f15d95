/**
 * A correction at Stripe, once for each revision: by its name, since Stripe forgets an idempotency key after a
 * day. What was too little, or included, waits for the next invoice. What was too much has an invoice of its
 * own, which puts it on the customer's balance at once, for the next invoice to use up: as an item it might
 * wait for the last one, and what that comes to below 0 Stripe writes off.
 */
import type Stripe from 'stripe';
import { dayOf } from '../../period.js';
import { toSeconds } from '../context.js';
import { CORRECTS } from './plan-lines-of.js';
import type { Correction } from './repair.js';

/**
 * @param draft the one that it corrects, which may have it as a line while it is no final invoice
 * @example await correctInvoice(stripe, correction);
 */
export async function correctInvoice(
  stripe: Stripe,
  correction: Correction,
  { draft }: { draft?: string | null } = {},
): Promise<void> {
  const { customerId: customer, subscriptionId: subscription, amountCents } = correction;
  const name = nameOf(correction);
  const params = itemOf(correction, name);
  for await (const { metadata } of stripe.invoiceItems.list({ customer, limit: 100 }))
    if (metadata?.[CORRECTS.name] === name) return;
  if (draft || amountCents >= 0) {
    const place = draft ? { invoice: draft } : { subscription };
    await stripe.invoiceItems.create({ ...params, ...place }, { idempotencyKey: name });
    return;
  }
  const begun: Stripe.Invoice[] = [];
  for await (const one of stripe.invoices.list({ customer, limit: 100 }))
    if (one.metadata?.[CORRECTS.name] === name) begun.push(one);
  const made = {
    customer,
    description: 'A credit for an earlier invoice',
    metadata: { [CORRECTS.name]: name },
    // Finalized by itself, if a kill leaves it as a draft: it may be empty then, and another one is made.
    auto_advance: true,
    pending_invoice_items_behavior: 'exclude' as const,
  };
  const { id: invoice = '' } =
    begun.find(({ status }) => status === 'draft') ??
    (await stripe.invoices.create(made, { idempotencyKey: `${name}:invoice:${begun.length}` }));
  await stripe.invoiceItems.create({ ...params, invoice }, { idempotencyKey: `${name}:${invoice}` });
  await stripe.invoices.finalizeInvoice(invoice, {}, { idempotencyKey: `finalize:${invoice}` });
}

const nameOf = ({ tenantId, month, kind, plan, period, revision }: Correction) =>
  `correction:${tenantId}:${month}:${kind}:${plan}:${dayOf(period.start)}:${revision}`;

function itemOf({ customerId, amountCents, words, ...correction }: Correction, name: string) {
  const { tenantId, month, kind, plan, period, queries } = correction;
  return {
    customer: customerId,
    currency: 'usd',
    amount: amountCents,
    description: `${words}, corrected for ${month}`,
    period: { start: toSeconds(period.start), end: toSeconds(period.end) },
    metadata: {
      tenant_id: tenantId,
      [CORRECTS.name]: name,
      [CORRECTS.month]: month,
      [CORRECTS.kind]: kind,
      [CORRECTS.plan]: plan,
      [CORRECTS.queries]: String(queries),
    },
  };
}
