/** What a change within a period costs. */
import { periodAround } from '../clock/interval.js';
import { invalid } from '../http/api-error.js';
import type { Account } from '../state/account.js';
import type { Invoice, Subscription, SubscriptionItem } from '../state/tables.js';
import { billSubscription } from './begin-period.js';
import { intervalOf, isMetered, spanOf } from './billing-period.js';
import { billUsageSoFar, chargeRemaining, creditUnused } from './invoice-items.js';
import type { ItemChange } from './item-changes.js';
import type { UpdateSubscriptionParams } from './subscription-params.js';

/** Credits and charges for the rest of the period; gives the draft when they are billed now. */
export function prorateChange(
  account: Account,
  before: Subscription,
  changes: readonly ItemChange[],
  { proration_behavior: behavior = 'create_prorations', proration_date: date }: UpdateSubscriptionParams,
): Invoice | undefined {
  const { now } = account.customer(before.customer as string);
  const at = date ?? now;
  const changed = changes.filter(
    ({ before: old, after }) => old?.price.id !== after?.price.id || old?.quantity !== after?.quantity,
  );
  for (const { before: old } of changed) if (old) checkNotBilledAnew(account, old, at);
  const [first] = before.items.data;
  const whole = periodAround(
    before.billing_cycle_anchor,
    intervalOf(before.items.data),
    first?.current_period_start ?? at,
  );
  for (const { before: old, after } of changed) {
    if (old && behavior !== 'none') {
      if (isMetered(old.price)) billUsageSoFar(account, before, old, at);
      else creditUnused(account, before, old, { at });
    }
    if (after && isMetered(after.price)) {
      account.tables.items.change(after.id, { usageFrom: at, billed: null });
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

/** Time before an item's last change is billed already; a change from before it would bill it again. */
function checkNotBilledAnew(account: Account, { id, price }: SubscriptionItem, at: number): void {
  const { billed, usageFrom } = account.tables.items.one(id);
  const since = isMetered(price) ? usageFrom : billed?.start;
  if (since === undefined || at >= since) return;
  throw invalid(
    `Cannot specify \`proration_date\` before the last change of the subscription item ${id}, at ${since}.`,
    { param: 'proration_date' },
  );
}
