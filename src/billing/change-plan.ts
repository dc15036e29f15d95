/** Another plan: a dearer one at once, a cheaper one from the 1st of next month. */
import Stripe from 'stripe';
import { DAY_MS, dayOf, monthOf, parseDay } from '../period.js';
import { PLANS, type PlanName } from '../plans.js';
import type { PlanChange, Proration } from '../tenants/tenant-billing.js';
import {
  type BillingContext,
  fromSeconds,
  idOf,
  METADATA,
  nextChange,
  reportUsageOf,
  toSeconds,
} from './context.js';
import { creditLeftFee } from './credit-left-fee.js';
import type { PlanChangeResult, SubscriptionState } from './shapes.js';
import { hasEnded, stateOf } from './subscription-state.js';

/** The work of {@link StripeBillingManager.previewPlanChange}. */
export async function previewPlanChange(context: BillingContext, change: PlanChange): Promise<Proration> {
  const lookUp = () => context.stripe.subscriptions.retrieve(change.subscriptionId);
  await applyWaitingChange(context, change.subscriptionId);
  // As before the change itself: the use under the old plan is part of what it costs.
  await reportUsageOf(context, await lookUp(), 'change');
  // Anew, since the report may have waited for another: the change may be made by now.
  const subscription = await lookUp();
  if (stateOf(subscription).planType === change.planType) return FREE;
  const subscription_details = {
    items: itemsFor(context, subscription, change.planType),
    proration_behavior: 'always_invoice' as const,
    proration_date: toSeconds(todayOf(context, subscription)),
  };
  const wanted = {
    customer: idOf(subscription.customer),
    subscription: subscription.id,
    subscription_details,
  };
  const preview = await context.stripe.invoices.createPreview(wanted).catch((error: unknown) => {
    // Of a trial that ends the subscription no invoice comes.
    if (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'invoice_upcoming_none')
      return undefined;
    throw error;
  });
  if (!preview) return FREE;
  const lines = preview.lines.data.map(({ description, amount }) => ({
    description: description ?? '',
    amountCents: amount,
  }));
  return { lines, totalCents: preview.total };
}

const FREE: Proration = { lines: [], totalCents: 0 };

/** The work of {@link StripeBillingManager.changePlan}. */
export async function changePlan(
  context: BillingContext,
  { subscriptionId, planType }: PlanChange,
): Promise<PlanChangeResult> {
  // What is due, or was half made by a process that was killed, comes first: it is no wish any more.
  await applyWaitingChange(context, subscriptionId);
  const subscription = await context.stripe.subscriptions.retrieve(subscriptionId);
  const before = stateOf(subscription);
  if (before.planType === planType) {
    if (subscription.metadata[METADATA.nextPlan]) await wait(context, subscription, NOTHING_WAITS);
    return { ...before, changesAt: null };
  }
  if (PLANS[planType].baseCents < PLANS[before.planType].baseCents) {
    const changesAt = monthOf(context.now()).end;
    const marked = await wait(context, subscription, waitsFrom(changesAt, planType));
    return { ...stateOf(marked), changesAt };
  }
  // After another change the same one is another intent, be that made here or, with an invoice, at Stripe.
  const latest = subscription.latest_invoice && idOf(subscription.latest_invoice);
  const after = `${latest}:${nextChange(subscription)}`;
  const idempotencyKey = `plan:${subscription.id}:${before.planType}:${planType}:after:${after}`;
  const from = todayOf(context, subscription);
  // The fee that it holds back is still to be taken off: whoever follows after a kill sees that by the wish.
  const isHeld = subscription.status === 'unpaid';
  const waits = isHeld ? waitsFrom(from, planType) : NOTHING_WAITS;
  const changed = await switchTo(context, subscription, { planType, from, idempotencyKey }, waits);
  const done = isHeld ? await applyWaitingChange(context, subscriptionId) : undefined;
  return { ...(done ?? stateOf(changed)), changesAt: null };
}

/** The work of {@link StripeBillingManager.applyWaitingChange}. */
export async function applyWaitingChange(
  context: BillingContext,
  subscriptionId: string,
): Promise<SubscriptionState | undefined> {
  const subscription = await context.stripe.subscriptions.retrieve(subscriptionId);
  const { [METADATA.nextPlan]: planType, [METADATA.nextPlanFrom]: day = '' } = subscription.metadata;
  // By Stripe's month: where our clock is a little behind, the renewal that brings us here comes but once.
  const today = new Date(Math.max(...[context.now(), ...periodStarts(subscription)].map(Number)));
  if (!planType || day > dayOf(today) || hasEnded(subscription)) return undefined;
  const isMade = stateOf(subscription).planType === planType;
  // One that was made holds since the day that it left here. For another a trial may end after the 1st; until
  // then nothing is billed.
  const bounds = isMade
    ? [fromSeconds(subscription.start_date)]
    : [monthOf(today).start, ...periodStarts(subscription)];
  const from = new Date(Math.max(...[parseDay(day).start, ...bounds].map(Number)));
  const kept = planType as PlanName;
  if (!isMade) {
    const idempotencyKey = `plan:${subscription.id}:${planType}:${from.toISOString()}`;
    await switchTo(context, subscription, { planType: kept, from, idempotencyKey }, waitsFrom(from, kept));
  }
  await creditLeftFee(context, subscription, { from, kept });
  // Forgotten last: whoever follows after a kill goes on from where it stands.
  return stateOf(await wait(context, subscription, NOTHING_WAITS));
}

const NOTHING_WAITS = { [METADATA.nextPlan]: '', [METADATA.nextPlanFrom]: '' };

const waitsFrom = (day: Date, planType: PlanName) => ({
  [METADATA.nextPlan]: planType,
  [METADATA.nextPlanFrom]: dayOf(day),
});

/** Keeps what waits for its day, or forgets it. */
function wait({ stripe }: BillingContext, subscription: Stripe.Subscription, waits: Record<string, string>) {
  const change = nextChange(subscription);
  return stripe.subscriptions.update(
    subscription.id,
    { metadata: { ...waits, [METADATA.change]: change } },
    { idempotencyKey: `plan:${subscription.id}:waits:${waits[METADATA.nextPlan]}:${change}` },
  );
}

async function switchTo(
  context: BillingContext,
  subscription: Stripe.Subscription,
  { planType, from, idempotencyKey }: { planType: PlanName; from: Date; idempotencyKey: string },
  waits: Record<string, string>,
): Promise<Stripe.Subscription> {
  // The old price bills what Stripe has of it by now; what it hears of later is on no invoice.
  await reportUsageOf(context, subscription, 'change');
  return context.stripe.subscriptions.update(
    subscription.id,
    {
      items: itemsFor(context, subscription, planType),
      proration_behavior: 'always_invoice',
      proration_date: toSeconds(from),
      metadata: { [METADATA.plan]: planType, ...waits, [METADATA.change]: nextChange(subscription) },
    },
    { idempotencyKey },
  );
}

/** The beginning of the day, or of the subscription if that was later. */
function todayOf({ now }: BillingContext, subscription: Stripe.Subscription): Date {
  const today = Math.floor(now().getTime() / DAY_MS) * DAY_MS;
  return new Date(Math.max(today, ...periodStarts(subscription).map(Number)));
}

const periodStarts = ({ items }: Stripe.Subscription) =>
  items.data.map(({ current_period_start: start }) => fromSeconds(start));

/** The same two items with the prices of another plan. */
function itemsFor(
  { catalogue }: BillingContext,
  { items }: Stripe.Subscription,
  planType: PlanName,
): { id: string; price: string }[] {
  const prices = catalogue.plans[planType];
  return items.data.map(({ id, price }) => ({
    id,
    price: price.recurring?.usage_type === 'metered' ? prices.usagePriceId : prices.basePriceId,
  }));
}
