/**
 * Subscriptions that come to nothing if nobody acts: trials without a card, failed first payments.
 *
 * A paused one is not among them. Stripe pauses a trial that ended without a card where its settings say so; the
 * tenant was reminded before, nothing is charged and no time runs out. That it is served nevertheless is for
 * the reconciliation to find.
 */
import type Stripe from 'stripe';
import { DAY_MS, HOUR_MS } from '../../period.js';
import { idOf } from '../context.js';
import { sdkOf } from '../sdk.js';
import { clockFilters } from '../test-clock.js';
import type { Books } from './books.js';
import { needsCard } from './needs-card.js';

/** A row of a table. */
export interface WatchedSubscription {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly plan: string;
  /** End of the trial, or of the time to pay. */
  readonly endsAt: Date;
}

type Watching = Pick<Books, 'stripe' | 'billing' | 'now' | 'testClock'>;

/**
 * Trials that end soon, with no card to charge then.
 *
 * @example table(await trialsWithoutCard(books))
 */
export async function trialsWithoutCard(books: Watching): Promise<WatchedSubscription[]> {
  const until = books.now.getTime() + 3 * DAY_MS;
  const found: WatchedSubscription[] = [];
  for await (const subscription of subscriptionsOf(books, 'trialing')) {
    const row = rowOf(subscription, (subscription.trial_end ?? 0) * 1_000);
    if (!row || row.endsAt.getTime() > until) continue;
    if (await needsCard(subscription, () => books.billing.hasCard(row.customerId))) found.push(row);
  }
  return found.sort(byEnd);
}

/** A first payment may be made up for within this time; then the subscription is gone. */
const TIME_TO_PAY_MS = 23 * HOUR_MS;

/**
 * Subscriptions whose first payment failed.
 *
 * @example table(await incompleteSubscriptions(books))
 */
export async function incompleteSubscriptions(books: Watching): Promise<WatchedSubscription[]> {
  const found: WatchedSubscription[] = [];
  for await (const subscription of subscriptionsOf(books, 'incomplete')) {
    const row = rowOf(subscription, subscription.created * 1_000 + TIME_TO_PAY_MS);
    if (row) found.push(row);
  }
  return found.sort(byEnd);
}

async function* subscriptionsOf(
  { stripe, testClock }: Watching,
  status: 'trialing' | 'incomplete',
): AsyncGenerator<Stripe.Subscription> {
  for (const filter of clockFilters(testClock))
    yield* sdkOf(stripe).subscriptions.list({ status, limit: 100, ...filter });
}

/** Undefined for one that is not the kit's. */
function rowOf(
  { id, customer, metadata }: Stripe.Subscription,
  endsAtMs: number,
): WatchedSubscription | undefined {
  const { tenant_id: tenantId, plan } = metadata;
  if (!tenantId || !plan) return undefined;
  return { tenantId, subscriptionId: id, customerId: idOf(customer), plan, endsAt: new Date(endsAtMs) };
}

const byEnd = (one: WatchedSubscription, other: WatchedSubscription) =>
  one.endsAt.getTime() - other.endsAt.getTime() || one.tenantId.localeCompare(other.tenantId);
