/**
 * What an event leads to. Only its object's id is taken from it: the object is looked up at Stripe as it
 * is now, and what is done follows from that, so that events may come twice, late or in any order.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import Stripe from 'stripe';
import { formatCents } from '../../money.js';
import type { RedisClient } from '../../redis-client.js';
import type { StripeClient } from '../../stripe-client.js';
import { tenantLock } from '../../tenants/tenant-lock.js';
import { hasCard } from '../attach-card.js';
import { fromSeconds, idOf, METADATA, subscriptionOf } from '../context.js';
import { existingCustomer } from '../existing-customer.js';
import { needsCard } from '../reconcile/needs-card.js';
import { reminderText, type TellsOnce } from '../reconcile/remind-once.js';
import { sdkOf } from '../sdk.js';
import { recordTerms } from './record-terms.js';
import type { WebhookEvent } from './webhook-event.js';

export interface WebhookContext {
  readonly clickhouse: ClickHouseClient;
  readonly redis: RedisClient;
  /** The DunningManager: what unpaid invoices lead to, and what a tenant is told once. */
  readonly dunning: TellsOnce & { checkCustomer(customerId: string): Promise<unknown> };
  /** The StripeBillingManager, for plans that wait for their month. @default they wait for somebody else */
  readonly billing?: { applyWaitingChange(subscriptionId: string): Promise<unknown> };
  /** Told after each change, with the status as it is now. @default nobody is */
  readonly onSubscription?: (change: { tenantId: string; status: string }) => Promise<unknown>;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/** The types that lead to something, and to what. */
const WORK = {
  'customer.subscription.created': 'subscriptionChanged',
  'customer.subscription.updated': 'subscriptionChanged',
  'customer.subscription.deleted': 'subscriptionChanged',
  'customer.subscription.trial_will_end': 'trialWillEnd',
  'invoice.created': 'invoiceCreated',
  'invoice.finalized': 'invoiceChanged',
  'invoice.paid': 'invoiceChanged',
  'invoice.payment_failed': 'invoiceChanged',
  'invoice.voided': 'invoiceChanged',
  'invoice.marked_uncollectible': 'invoiceChanged',
  'charge.dispute.created': 'disputeCreated',
} as const;

export const HANDLED_TYPES = Object.keys(WORK) as (keyof typeof WORK)[];

/**
 * What an event leads to: its object is looked up at Stripe as it is now, and acted on.
 *
 * @returns the handler: it throws when something is away, and is to be called again then
 * @example queue.work(webhookHandler(stripe, { clickhouse, redis, dunning, billing }));
 */
export function webhookHandler(
  client: StripeClient,
  context: WebhookContext,
): (event: WebhookEvent) => Promise<void> {
  const stripe = sdkOf(client);
  const { dunning, billing, onSubscription, now = () => new Date() } = context;
  const lock = tenantLock(context.redis);

  async function subscriptionChanged(subscriptionId: string): Promise<void> {
    const subscription = await existing(stripe.subscriptions.retrieve(subscriptionId));
    if (!subscription) return;
    const { customer, metadata } = subscription;
    if (metadata[METADATA.nextPlan]) await billing?.applyWaitingChange(subscriptionId);
    const owner = await ownerOf(customer);
    if (!owner) return;
    await lock(owner.tenantId, () => recordTerms({ stripe, ...context }, { ...owner, now: now() }));
    await onSubscription?.({ tenantId: owner.tenantId, status: subscription.status });
  }

  async function trialWillEnd(subscriptionId: string): Promise<void> {
    const subscription = await existing(stripe.subscriptions.retrieve(subscriptionId));
    // Late, the trial may be over or the card be there.
    if (subscription?.status !== 'trialing' || subscription.trial_end === null) return;
    const owner = await ownerOf(subscription.customer);
    if (!owner || !(await needsCard(subscription, () => hasCard({ stripe }, owner.customerId)))) return;
    const { tenantId } = owner;
    const text = reminderText('trial_reminder', fromSeconds(subscription.trial_end));
    await dunning.tellOnce({ tenantId, about: subscriptionId, topic: 'trial_reminder', text });
  }

  async function invoiceCreated(invoiceId: string): Promise<void> {
    const invoice = await existing(stripe.invoices.retrieve(invoiceId));
    // Its lines say which plan holds from when, and it is there when a month begins.
    const subscriptionId = invoice && subscriptionOf(invoice);
    if (subscriptionId) await subscriptionChanged(subscriptionId);
  }

  async function invoiceChanged(invoiceId: string): Promise<void> {
    const invoice = await existing(stripe.invoices.retrieve(invoiceId));
    if (invoice?.customer) await dunning.checkCustomer(idOf(invoice.customer));
  }

  async function disputeCreated(disputeId: string): Promise<void> {
    const dispute = await existing(stripe.disputes.retrieve(disputeId));
    if (!dispute) return;
    const { amount, reason, charge } = dispute;
    const owner = await ownerOf((await stripe.charges.retrieve(idOf(charge))).customer);
    if (!owner) return;
    // Some per cent of invoices need a person: nothing is done but to call one.
    const text = `A payment of $${formatCents(BigInt(amount))} is disputed (${reason}); answer it at Stripe`;
    await dunning.tellOnce({ tenantId: owner.tenantId, about: disputeId, topic: 'dispute_created', text });
  }

  /** Whose object it is; undefined for a customer that is gone, or no tenant's. */
  async function ownerOf(customer: string | { id: string } | null) {
    if (!customer) return undefined;
    const customerId = idOf(customer);
    const tenantId = (await existingCustomer(stripe, customerId))?.metadata[METADATA.tenant];
    return tenantId ? { tenantId, customerId } : undefined;
  }

  const work = { subscriptionChanged, trialWillEnd, invoiceCreated, invoiceChanged, disputeCreated };
  return async ({ type, objectId }) => {
    // An endpoint may be sent any type, and Stripe adds new ones: others are none of our business.
    if (Object.hasOwn(WORK, type)) await work[WORK[type as keyof typeof WORK]](objectId);
  };
}

/** What Stripe has; undefined where it was deleted since, so that nothing is left to be done. */
async function existing<Found>(lookUp: Promise<Found>): Promise<Found | undefined> {
  try {
    return await lookUp;
  } catch (error) {
    const isMissing = error instanceof Stripe.errors.StripeInvalidRequestError;
    if (isMissing && error.code === 'resource_missing') return undefined;
    throw error;
  }
}
