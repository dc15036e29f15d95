/**
 * The fee of a plan that was left, where Stripe gives nothing back. Of a draft that an unpaid subscription holds
 * back it credits nothing, and yet the draft is charged once the tenant pays. At an end it credits on the last
 * invoice, and what that comes to below 0 is lost, though the fee be open still. So the rest of the fee is taken
 * off here.
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

/** Whether the time from an instant on is charged, and not paid. */
export async function owesTimeFrom(context: BillingContext, subscription: Stripe.Subscription, from: Date) {
  const charges = await standingCharges(context, subscription, from);
  return charges.some(({ status }) => status !== 'paid');
}

/**
 * Takes off the part of a fee from an instant on: nothing where Stripe has credited it with the change, or where
 * this was done before. So it may be repeated. A draft is charged less, anything else has a credit beside it.
 *
 * @param change from when the plan was left, and for which: none where the subscription ended
 */
export async function creditLeftFee(
  context: BillingContext,
  subscription: Stripe.Subscription,
  { from, kept }: { from: Date; kept?: PlanName },
): Promise<void> {
  const { id, customer, metadata } = subscription;
  const month = monthOf(from);
  for (const { plan, period, status, invoiceId, ...fee } of await standingCharges(
    context,
    subscription,
    from,
  )) {
    const amountCents = Number(prorate(-BigInt(fee.amount_cents), { from, period }));
    if (!plan || plan === kept || amountCents === 0) continue;
    const isWhole = fee.kind === 'base' && Number(from) === Number(period.start);
    const correction = {
      tenantId: metadata[METADATA.tenant] ?? '',
      customerId: idOf(customer),
      subscriptionId: id,
      // A fee in advance is on the plan invoice of the month before.
      month: isWhole ? previousMonth(from).name : month.name,
      kind: isWhole ? ('base' as const) : ('proration' as const),
      plan,
      words: isWhole ? fee.description : `Unused time on ${plan} after ${dayOf(from)}`,
      period: { start: from, end: period.end },
      queries: 0,
      amountCents,
      // Before all that the reconciliation makes.
      revision: 0,
    };
    const isDraft = status === 'held' || status === 'draft';
    await correctInvoice(context.stripe, correction, isDraft ? { draft: invoiceId } : {});
  }
}

/** The fees of the month from an instant on, which nothing has given back. */
async function standingCharges(
  { stripe, catalogue }: BillingContext,
  { id, customer }: Stripe.Subscription,
  from: Date,
): Promise<InvoicedLine[]> {
  const prices = await readPlanPrices(stripe, catalogue);
  const since = { customer: idOf(customer), created: { gte: toSeconds(monthOf(from).start) } };
  const lines: InvoicedLine[] = [];
  for await (const invoice of wholeInvoices(stripe, since)) lines.push(...planLinesOf(invoice, prices));
  const fees = lines.filter(
    ({ kind, status }) => (kind === 'base' || kind === 'proration') && status !== 'void',
  );
  return fees.filter(
    ({ plan, amount_cents, subscriptionId, period: { start, end } }) =>
      subscriptionId === id &&
      amount_cents > 0 &&
      start <= from &&
      from < end &&
      !fees.some((other) => other.plan === plan && other.amount_cents < 0 && other.period.start >= start),
  );
}
