/** The lines of an invoice: what an item charges for a time, and pending invoice items. */

import { invalid } from '../http/api-error.js';
import { dollars, formatDecimal, ONE } from '../money/decimal.js';
import { lineCents, type PriceLine, priceLines } from '../money/price-lines.js';
import { prorateExact, type Share } from '../money/prorate.js';
import type { Account } from '../state/account.js';
import type { UsageSegment } from '../state/rows.js';
import type { InvoiceItem, InvoiceLine, Price, SubscriptionItem } from '../state/tables.js';
import { usageOf } from './usage.js';

/** A line before it stands on an invoice. */
export type LineDraft = Omit<InvoiceLine, 'id' | 'invoice'>;

/** Seconds from `start` up to `end`, which no longer belongs to it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ChargeOptions {
  readonly quantity: bigint;
  readonly period: Span;
  /** Charges only this part, in seconds. */
  readonly share?: Share | undefined;
  /** A free line of a trial. */
  readonly trial?: boolean;
}

/** What an item charges for a quantity over a period: one line, or one for each tier. */
export function chargeLines(
  account: Account,
  item: Pick<SubscriptionItem, 'id' | 'subscription'>,
  price: Price,
  { quantity, period, share, trial = false }: ChargeOptions,
): LineDraft[] {
  const name = productName(account, price);
  return chargesOf(account, price, quantity).map((charge) => {
    const amount = share ? prorateExact(charge.exact, share) : lineCents(charge.exact);
    return lineDraft({
      amount: trial ? 0 : toNumber(amount),
      description: trial ? `Trial period for ${name}` : describe(charge, name, price),
      period,
      price,
      quantity: charge.quantity,
      unit: trial ? 0n : share ? null : charge.unit,
      parent: {
        type: 'subscription_item_details',
        invoice_item_details: null,
        subscription_item_details: {
          invoice_item: null,
          proration: share !== undefined,
          proration_details: { credited_items: null },
          subscription: item.subscription,
          subscription_item: item.id,
        },
      },
    });
  });
}

/** Lines for the usage of a segment, as it is known now. */
export function usageLines(
  account: Account,
  customer: string,
  segment: UsageSegment,
  subscription: string,
): LineDraft[] {
  const price = account.tables.prices.one(segment.price);
  const meter = account.tables.meters.one(price.recurring?.meter ?? '');
  const events = account.tables.meterEvents.by('series', `${meter.id}/${customer}`);
  const quantity = usageOf(meter, events, segment);
  const period = { start: segment.from, end: segment.to };
  return chargeLines(account, { id: segment.item, subscription }, price, { quantity, period });
}

/** The exact charges of a price, before rounding. */
export function chargesOf(account: Account, price: Price, quantity: bigint): PriceLine[] {
  return priceLines(price, account.tables.tiers.get(price.id)?.tiers ?? [], quantity);
}

/** The line that a pending invoice item becomes. */
export function lineOfItem(account: Account, item: InvoiceItem): LineDraft {
  const details = item.parent?.subscription_details;
  const credited = item.proration_details?.credited_items?.invoice_line_item_details ?? null;
  const priceId = item.pricing?.price_details?.price;
  const shared = { proration: item.proration, proration_details: { credited_items: credited } };
  return lineDraft({
    amount: item.amount,
    description: item.description ?? '',
    discountable: item.discountable,
    metadata: item.metadata ?? {},
    period: item.period,
    price: account.tables.prices.get(priceId) ?? null,
    quantity: BigInt(item.quantity) * ONE,
    unit: null,
    parent: details?.subscription_item
      ? {
          type: 'subscription_item_details',
          invoice_item_details: null,
          subscription_item_details: {
            ...shared,
            invoice_item: item.id,
            subscription: details.subscription,
            subscription_item: details.subscription_item,
          },
        }
      : {
          type: 'invoice_item_details',
          invoice_item_details: {
            ...shared,
            invoice_item: item.id,
            subscription: details?.subscription ?? null,
          },
          subscription_item_details: null,
        },
  });
}

interface LineFacts
  extends Pick<LineDraft, 'amount' | 'description' | 'parent' | 'period'>,
    Partial<Pick<LineDraft, 'discountable' | 'metadata'>> {
  readonly price: Price | null;
  readonly quantity: bigint;
  readonly unit: bigint | null;
}

function lineDraft(facts: LineFacts): LineDraft {
  const { amount, description, discountable = facts.unit !== null, metadata = {}, period, price } = facts;
  return {
    object: 'line_item',
    amount,
    currency: 'usd',
    description,
    discount_amounts: [],
    discountable,
    discounts: [],
    livemode: false,
    metadata,
    parent: facts.parent,
    period,
    pretax_credit_amounts: [],
    pricing: {
      ...(price && { price_details: { price: price.id, product: price.product } }),
      type: 'price_details',
      unit_amount_decimal: facts.unit === null ? null : formatDecimal(facts.unit),
    },
    // Whole units; the exact quantity stands beside it.
    quantity: Number(facts.quantity / ONE),
    quantity_decimal: formatDecimal(facts.quantity),
    subscription: facts.parent?.subscription_item_details?.subscription ?? null,
    subtotal: amount,
    taxes: [],
  };
}

export function productName(account: Account, price: Price): string {
  return account.tables.products.get(price.product)?.name ?? price.product;
}

/** `3 × Gold (at $10.00 / month)`, `10 × Gold (Tier 1 at $0.00 / month)` */
function describe({ quantity, unit, tier }: PriceLine, name: string, price: Price): string {
  const { interval = '', interval_count: count = 1 } = price.recurring ?? {};
  const each = count === 1 ? `/ ${interval}` : `every ${count} ${interval}s`;
  const at = `${tier === null ? 'at' : `Tier ${tier} at`} ${dollars(unit)} ${each}`;
  return `${formatDecimal(quantity)} × ${name} (${at})`;
}

/** Cents on the wire. */
export function toNumber(amount: bigint): number {
  if (amount > 10n ** 14n || amount < -(10n ** 14n)) {
    throw invalid('The amount is too large.', undefined, 'amount_too_large');
  }
  return Number(amount);
}
