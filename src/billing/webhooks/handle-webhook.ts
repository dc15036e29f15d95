/**
 * What an event leads to. Only its object's id is taken from it: the object is looked up at Stripe as it
 * is now, and what is done follows from that, so that events may come twice, late or in any order.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import Stripe from 'stripe';
import { formatCents } from '../../money.js';
import type { RedisClient } from '../../redis-client.js';
import type { StripeClient } from '../../stripe-client.js';
import { type TenantLockOptions, tenantLock } from '../../tenants/tenant-lock.js';
import { idOf, METADATA } from '../context.js';
import { needsCard } from '../reconcile/needs-card.js';
import { reminderText } from '../reconcile/remind-once.js';
import { sdkOf } from '../sdk.js';
import { recordTerms } from './record-terms.js';
import type { WebhookEvent } from './webhook-event.js';

export interface WebhookContext {
  readonly clickhouse: ClickHouseClient;
  readonly redis: RedisClient;
  /** The DunningManager: what unpaid invoices lead to, and what a tenant is told once. */
  readonly dunning: {
    checkCustomer(customerId: string): Promise<unknown>;
    tellOnce(message: { tenantId: string; about: string; topic: string; text: string }): Promise<boolean>;
  };
  /** The StripeBillingManager, for plans that wait for their month. @default they wait for somebody else */
  readonly billing?: { applyWaitingChange(subscriptionId: string): Promise<unknown> };
  /** Told after each change, with the status as it is now. @default nobody is */
  readonly onSubscription?: (change: { tenantId: string; status: string }) => Promise<unknown>;
  readonly lock?: TenantLockOptions;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/** Whose object it is. */
interface Owner {
  readonly tenantId: string;
  readonly customerId: string;
}

/** The types that lead to something. */
export const HANDLED_TYPES = [
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.trial_will_end',
  'invoice.created',
  'invoice.finalized',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.voided',
  'invoice.marked_uncollectible',
  'charge.dispute.created',
] as const;

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
  const lock = tenantLock(context.redis, context.lock);

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
    if (!owner || !(await needsCard(subscription, () => hasCard(owner)))) return;
    const { tenantId } = owner;
    const text = reminderText('trial_reminder', new Date(subscription.trial_end * 1_000));
    await dunning.tellOnce({ tenantId, about: subscriptionId, topic: 'trial_reminder', text });
  }

  async function invoiceCreated(invoiceId: string): Promise<void> {
    const invoice = await existing(stripe.invoices.retrieve(invoiceId));
    // Its lines say which plan holds from when, and it is there when a month begins.
    const subscription = invoice?.parent?.subscription_details?.subscription;
    if (subscription) await subscriptionChanged(idOf(subscription));
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

  /** Undefined for a customer that is gone, or no tenant's. */
  async function ownerOf(customer: string | { id: string } | null): Promise<Owner | undefined> {
    if (!customer) return undefined;
    const found = await stripe.customers.retrieve(idOf(customer));
    const tenantId = found.deleted ? undefined : found.metadata.tenant_id;
    return tenantId ? { tenantId, customerId: found.id } : undefined;
  }

  async function hasCard({ customerId }: Owner): Promise<boolean> {
    const customer = await stripe.customers.retrieve(customerId);
    return !customer.deleted && customer.invoice_settings.default_payment_method !== null;
  }

  return async ({ type, objectId }) => {
    switch (type as (typeof HANDLED_TYPES)[number]) {
      case 'customer.subscription.created':
      case 'customer.subscription.updated':
      case 'customer.subscription.deleted':
        return subscriptionChanged(objectId);
      case 'customer.subscription.trial_will_end':
        return trialWillEnd(objectId);
      case 'invoice.created':
        return invoiceCreated(objectId);
      case 'invoice.finalized':
      case 'invoice.paid':
      case 'invoice.payment_failed':
      case 'invoice.voided':
      case 'invoice.marked_uncollectible':
        return invoiceChanged(objectId);
      case 'charge.dispute.created':
        return disputeCreated(objectId);
      default:
      // An endpoint may be sent any type, and Stripe adds new ones: others are none of our business.
    }
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
