/**
 * The month's fee of a plan that was left, on a draft that an unpaid subscription holds back. Of a draft that it
 * holds back Stripe credits nothing, and yet it is charged once the tenant pays: the month would be billed twice.
 */
import type Stripe from 'stripe';
import { monthOf, previousMonth } from '../period.js';
import { type BillingContext, idOf, METADATA, toSeconds } from './context.js';
import { correctInvoice } from './reconcile/correct-invoice.js';
import { centsOf } from './reconcile/entries.js';
import { planLinesOf } from './reconcile/plan-lines-of.js';
import { readPlanPrices } from './reconcile/plan-prices.js';
import { wholeInvoices } from './whole-invoices.js';

/**
 * Takes off what still stands of the fee: nothing where Stripe has credited it with the change, or where this
 * was done before. So it may be repeated, also when the draft was charged in between: then it is a credit.
 *
 * @param change the plan that holds now, and from when
 */
export async function creditLeftFee(
  { stripe, catalogue }: BillingContext,
  { id, customer, metadata }: Stripe.Subscription,
  { plan: kept, from }: { plan: string; from: Date },
): Promise<void> {
  const prices = await readPlanPrices(stripe, catalogue);
  const since = { subscription: id, created: { gte: toSeconds(from) } };
  const lines = [];
  for await (const invoice of wholeInvoices(stripe, since)) lines.push(...planLinesOf(invoice, prices));
  const fees = lines.filter(
    ({ kind, plan, status, period }) =>
      kind === 'base' && plan !== kept && status !== 'void' && Number(period.start) === Number(from),
  );
  const [fee] = fees.filter(({ amount_cents }) => amount_cents > 0);
  if (!fee?.plan || centsOf(fees) <= 0) return;
  const correction = {
    tenantId: metadata[METADATA.tenant] ?? '',
    customerId: idOf(customer),
    subscriptionId: id,
    // A fee in advance is on the plan invoice of the month before.
    month: previousMonth(from).name,
    kind: 'base' as const,
    plan: fee.plan,
    words: fee.description,
    period: { start: from, end: monthOf(from).end },
    queries: 0,
    amountCents: -centsOf(fees),
    revision: 1,
  };
  await correctInvoice(stripe, correction, fee.status === 'held' ? { draft: fee.invoiceId } : {});
}
