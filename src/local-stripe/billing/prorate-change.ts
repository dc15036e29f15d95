/** What a change within a period costs. */
import { periodAround } from '../clock/interval.js';
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { Invoice, Subscription, SubscriptionItem } from '../state/tables.js';
import { billSubscription } from './bill-subscription.js';
import { intervalOf, isMetered, spanOf } from './billing-period.js';
import { type ItemChange, isChange } from './item-changes.js';
import { billSegment, chargeRemaining, creditUnused } from './prorations.js';
import type { UpdateSubscriptionParams } from './subscription-params.js';
import { endsCounting, unbilledUsage } from './unbilled-usage.js';

/** Credits and charges for the rest of the period; gives the draft when they are billed now. */
export function prorateChange(
  account: Account,
  before: Subscription,
  changes: readonly ItemChange[],
  { proration_behavior: behavior = 'create_prorations', proration_date: date }: UpdateSubscriptionParams,
): Invoice | undefined {
  const { now } = account.customer(before.customer);
  const at = date ?? now;
  const changed = changes.filter(isChange);
  for (const change of changed) checkNotBilledAnew(account, before, change, at);
  const interval = intervalOf(before.items.data);
  const whole = periodAround(before.billing_cycle_anchor, interval, spanOf(before).start);
  for (const { before: old, after } of changed) {
    if (old && behavior !== 'none') {
      if (isMetered(old.price)) {
        const ends = (item: SubscriptionItem) => endsCounting(item, changed);
        for (const segment of unbilledUsage(account, [old], at, ends))
          billSegment(account, before, old, segment);
      } else creditUnused(account, before, old, { at });
    }
    if (!after && old) account.tables.items.change(old.id, { deletedAt: at });
    if (after && isMetered(after.price)) {
      account.tables.items.change(after.id, { usageFrom: at });
    } else if (after && behavior !== 'none') {
      const rest = { at, end: after.current_period_end, whole: whole.end - whole.start };
      chargeRemaining(account, before, after, rest);
    }
  }
  if (behavior !== 'always_invoice' || changed.length === 0) return undefined;
  const subscription = account.tables.subscriptions.one(before.id);
  const { start } = spanOf(subscription);
  return billSubscription(account, subscription, { reason: 'subscription_update', start, autoAdvance: true });
}

/**
 * Time before an item's last change is billed already; a change from before it would bill it again.
 * So would an item that is added as of a time before another one was changed or deleted.
 */
function checkNotBilledAnew(
  account: Account,
  { id, items }: Subscription,
  { before }: ItemChange,
  at: number,
): void {
  const changes = (before ? [before] : items.data).map((item) => changedAt(account, item));
  const rows = before ? [] : account.tables.items.by('subscription', id);
  const since = Math.max(...changes, ...rows.map(({ deletedAt }) => deletedAt ?? 0));
  if (at >= since) return;
  throw invalid(
    `Cannot specify \`proration_date\` before the last change of ${before?.id ?? 'the subscription’s items'}, at ${since}.`,
    'proration_date',
  );
}

function changedAt({ tables }: Account, { id, price }: SubscriptionItem): number {
  const { billed, usageFrom } = tables.items.one(id);
  return isMetered(price) ? usageFrom : (billed?.start ?? 0);
}
