/**
 * The month's fee of a plan that was left, on a draft that an unpaid subscription holds back. Of a draft that it
 * holds back Stripe credits nothing, and yet it is charged once the tenant pays: the time would be billed twice,
 * or though nobody had it.
 */
import type Stripe from 'stripe';
import { prorate } from '../invoices/proration.js';
import { dayOf, monthOf, previousMonth } from '../period.js';
import type { PlanName } from '../plans.js';
import { type BillingContext, idOf, METADATA, toSeconds } from './context.js';
import { correctInvoice } from './reconcile/correct-invoice.js';
import type { InvoicedLine } from './reconcile/invoiced-line.js';
import { planLinesOf } from './reconcile/plan-lines-of.js';
import { readPlanPrices } from './reconcile/plan-prices.js';
import { wholeInvoices } from './whole-invoices.js';

/**
 * Takes off the part of the fee from an instant on: nothing where Stripe has credited it with the change, or where
 * this was done before. So it may be repeated, also when the draft was charged in between: then it is a credit.
 *
 * @param change from when the plan was left, and for which: none where the subscription ended
 */
export async function creditLeftFee(
  { stripe, catalogue }: BillingContext,
  { id, customer, metadata }: Stripe.Subscription,
  { from, kept }: { from: Date; kept?: PlanName },
): Promise<void> {
  const month = monthOf(from);
  const prices = await readPlanPrices(stripe, catalogue);
  const since = { customer: idOf(customer), created: { gte: toSeconds(month.start) } };
  const lines: InvoicedLine[] = [];
  for await (const invoice of wholeInvoices(stripe, since)) lines.push(...planLinesOf(invoice, prices));
  const isLeft = ({ kind, plan, amount_cents, status, subscriptionId, period }: InvoicedLine) =>
    kind === 'base' &&
    plan !== kept &&
    amount_cents > 0 &&
    subscriptionId === id &&
    Number(period.start) === Number(month.start) &&
    // What was charged before it ended is for whoever ended it to give back.
    (kept ? status !== 'void' : status === 'held');
  for (const fee of lines.filter(isLeft)) {
    const isCredited = lines.some(
      ({ kind, plan, amount_cents, period }) =>
        kind !== 'usage' && plan === fee.plan && amount_cents < 0 && period.start >= month.start,
    );
    const amountCents = Number(prorate(-BigInt(fee.amount_cents), { from, period: fee.period }));
    if (isCredited || amountCents === 0 || !fee.plan) continue;
    const isWhole = Number(from) === Number(month.start);
    const correction = {
      tenantId: metadata[METADATA.tenant] ?? '',
      customerId: idOf(customer),
      subscriptionId: id,
      // A fee in advance is on the plan invoice of the month before.
      month: isWhole ? previousMonth(from).name : month.name,
      kind: isWhole ? ('base' as const) : ('proration' as const),
      plan: fee.plan,
      words: isWhole ? fee.description : `Unused time on ${fee.plan} after ${dayOf(from)}`,
      period: { start: from, end: fee.period.end },
      queries: 0,
      amountCents,
      // Before all that the reconciliation makes.
      revision: 0,
    };
    await correctInvoice(stripe, correction, fee.status === 'held' ? { draft: fee.invoiceId } : {});
  }
}
