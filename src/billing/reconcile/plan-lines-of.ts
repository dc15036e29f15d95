/** Lines of Stripe's invoices, in the words of our plan invoice. */
import type Stripe from 'stripe';
import type { PlanLine } from '../../invoices/plan-invoice.js';
import { dayOf, type Month, monthOf, type Period, previousMonth } from '../../period.js';
import type { PlanName } from '../../plans.js';
import { fromSeconds, idOf, subscriptionOf } from '../context.js';
import type { InvoicedLine } from './invoiced-line.js';
import type { PriceBook } from './plan-prices.js';

/** What a correction says about the line that it corrects. */
export const CORRECTS = {
  name: 'correction',
  month: 'corrects_month',
  kind: 'corrects_kind',
  plan: 'corrects_plan',
  queries: 'queries',
};

/**
 * Reads the lines of an invoice. A licensed price from the 1st on is a base fee, in any other period a
 * proration; a metered one is usage; a line of a trial, which is free, is none.
 *
 * @example planLinesOf(await stripe.invoices.retrieve(id), await readPlanPrices(stripe, catalogue))
 */
export function planLinesOf(invoice: Stripe.Invoice, prices: PriceBook): InvoicedLine[] {
  const place = { invoiceId: invoice.id ?? null, status: statusOf(invoice) };
  return invoice.lines.data.flatMap((line) => {
    const { subscription_item_details: item, invoice_item_details: other } = line.parent ?? {};
    const subscriptionId = item?.subscription ?? other?.subscription ?? null;
    return lineOf(line, prices, { ...place, subscriptionId });
  });
}

/** An invoice item that waits, as the line that it will be. */
export function waitingLineOf(
  item: Stripe.InvoiceItem,
  prices: PriceBook,
  status: 'waiting' | 'stranded',
): InvoicedLine[] {
  return lineOf(item, prices, { invoiceId: null, status, subscriptionId: subscriptionOf(item) ?? null });
}

type Raw = Pick<
  Stripe.InvoiceLineItem | Stripe.InvoiceItem,
  'amount' | 'description' | 'metadata' | 'period' | 'pricing' | 'quantity'
>;
type Place = Pick<InvoicedLine, 'invoiceId' | 'status' | 'subscriptionId'>;

function lineOf(raw: Raw, prices: PriceBook, place: Place): InvoicedLine[] {
  const period = { start: fromSeconds(raw.period.start), end: fromSeconds(raw.period.end) };
  const facts = { amount_cents: raw.amount, ...daysOf(period), period, ...place };
  const words = raw.description ?? '';
  const { [CORRECTS.month]: month } = raw.metadata ?? {};
  const price = prices.get(idOf(raw.pricing?.price_details?.price ?? ''));
  const hasOlderPrice = price?.isOlder ?? false;
  if (month) return [{ ...facts, ...correctionOf(raw, words), hasOlderPrice, month, corrects: true }];
  const line = { ...facts, hasOlderPrice, quantity: raw.quantity ?? 1, corrects: false };
  const own = monthOf(period.start);
  if (!price) return [{ ...line, kind: 'other', plan: null, month: own.name, description: words }];
  const { plan, isMetered } = price;
  const description = `${plan} queries, ${tierOf(raw)}`;
  if (isMetered) return [{ ...line, kind: 'usage', plan, month: own.name, description }];
  return raw.amount === 0 ? [] : [{ ...line, plan, ...feeOf(raw, plan, own) }];
}

/** A fee from the 1st on is that of a whole month; a credit of a whole month takes it back. */
function feeOf({ amount, period: { start } }: Raw, plan: PlanName, month: Month) {
  const from = fromSeconds(start);
  const isWhole = Number(from) === Number(month.start);
  const part = `${amount < 0 ? 'Unused' : 'Remaining'} time on ${plan} after ${dayOf(from)}`;
  return {
    kind: isWhole ? ('base' as const) : ('proration' as const),
    month: isWhole ? previousMonth(from).name : month.name,
    description: isWhole && amount > 0 ? `${plan} base fee` : part,
  };
}

function correctionOf({ metadata }: Raw, description: string) {
  const { [CORRECTS.kind]: kind, [CORRECTS.plan]: plan, [CORRECTS.queries]: queries } = metadata ?? {};
  return { kind: kind as PlanLine['kind'], plan: plan as PlanName, quantity: Number(queries), description };
}

/** Stripe names the tier in words alone: `6000 × Starter (Tier 1 at $0.00 / month)`. */
const tierOf = ({ description, amount }: Raw) =>
  (/\(Tier (\d+) /.exec(description ?? '')?.[1] ?? (amount === 0 ? '1' : '2')) === '1'
    ? 'included'
    : 'overage';

const SETTLED = ['open', 'paid', 'uncollectible', 'void'] as const;

const statusOf = ({ status, auto_advance: advances }: Stripe.Invoice): InvoicedLine['status'] =>
  SETTLED.find((known) => known === status) ?? (advances ? 'draft' : 'held');

const daysOf = ({ start, end }: Period) => ({
  first_day: dayOf(start),
  last_day: dayOf(new Date(Math.max(start.getTime(), end.getTime() - 1))),
});
