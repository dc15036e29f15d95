/** A subscription's period: when it begins and ends, and what its beginning bills. */
import { periodAround } from '../clock/interval.js';
import { invalid } from '../http/api-error.js';
import { ONE } from '../money/decimal.js';
import type { Account } from '../state/account.js';
import type { Price, Subscription, SubscriptionItem } from '../state/tables.js';
import { type ChargeOptions, chargeLines, type LineDraft, type Span } from './lines.js';

export function isMetered(price: Price): boolean {
  return price.recurring?.usage_type === 'metered';
}

/** The interval that all items of a subscription share. */
export function intervalOf(items: readonly { readonly price: Price }[]) {
  const [first] = items;
  const recurring = first?.price.recurring;
  if (!recurring) throw invalid('A subscription needs at least one item.', 'items');
  return recurring;
}

/** The span of all items of a subscription. */
export function spanOf({ items }: Subscription): Span {
  const [first] = items.data;
  if (!first) throw new RangeError('Cannot tell the period of a subscription without items');
  return { start: first.current_period_start, end: first.current_period_end };
}

/** Items with another span. */
export function withSpan(items: readonly SubscriptionItem[], { start, end }: Span): SubscriptionItem[] {
  return items.map((item) => ({ ...item, current_period_start: start, current_period_end: end }));
}

/**
 * The period that begins now, given the anchor: a whole one from a boundary, else the part up to
 * the next boundary, with the whole that it is a part of.
 */
export function periodFrom(anchor: number, items: readonly { readonly price: Price }[], now: number) {
  const interval = intervalOf(items);
  const whole = periodAround(anchor, interval, now);
  const period: Span = { start: now, end: whole.end };
  const share = now === whole.start ? undefined : { part: whole.end - now, whole: whole.end - whole.start };
  return { period, share };
}

/** What the licensed items charge in advance for a period. */
export function licensedLines(
  account: Account,
  items: readonly SubscriptionItem[],
  options: Omit<ChargeOptions, 'quantity'>,
): LineDraft[] {
  return items
    .filter(({ price }) => !isMetered(price))
    .flatMap((item) =>
      chargeLines(account, item, item.price, { ...options, quantity: BigInt(item.quantity ?? 1) * ONE }),
    );
}
