/** What the parts of the billing manager share. */
import type Stripe from 'stripe';
import type { Catalogue } from './catalogue.js';
import type { TestClock } from './test-clock.js';

export interface BillingContext {
  readonly stripe: Stripe;
  readonly catalogue: Catalogue;
  /** Where customers live when time is not the real one. */
  readonly testClock: TestClock | undefined;
  readonly now: () => Date;
  readonly beforeChange: (tenantId: string, kind: 'change' | 'end') => Promise<unknown>;
}

/** What the metadata of customers and subscriptions say at Stripe. */
export const METADATA = {
  tenant: 'tenant_id',
  plan: 'plan',
  /** A downgrade that waits for the end of the month. */
  nextPlan: 'next_plan',
  /** The day on which it is due, e.g. `2025-12-01`. */
  nextPlanFrom: 'next_plan_from',
  /** How often a customer's card, or whether a subscription ends with its period, was changed here. */
  change: 'change',
  /** Of a customer that was one too many for its tenant: whose. */
  doubleOf: 'was_double_of',
  /** A purged tenant's customer: nobody is left to be told anything. */
  forgotten: 'forgotten',
} as const;

/**
 * The number of the next change of an object, for an idempotency key: a change there and back and there again
 * is three intents, a repetition before the change was made is one. The change is to keep it in the metadata.
 */
export const nextChange = ({ metadata }: Pick<Stripe.Customer, 'metadata'>) =>
  String(Number(metadata[METADATA.change] ?? 0) + 1);

/** Stripe's time of an instant. */
export const toSeconds = (instant: Date) => Math.floor(instant.getTime() / 1_000);

/** An instant of Stripe's. */
export const fromSeconds = (time: number) => new Date(time * 1_000);

/** The id of an object, whether Stripe sent it whole or by its id. */
export const idOf = (object: string | { id: string }) => (typeof object === 'string' ? object : object.id);

/** The id of the subscription that an invoice, or an invoice item, is of. */
export function subscriptionOf({ parent }: Pick<Stripe.Invoice | Stripe.InvoiceItem, 'parent'>) {
  const subscription = parent?.subscription_details?.subscription;
  return subscription ? idOf(subscription) : undefined;
}

/** Before a subscription changes or ends: what was used till then is billed by it. */
export async function reportUsageOf(
  { beforeChange }: BillingContext,
  { metadata }: Stripe.Subscription,
  kind: 'change' | 'end',
): Promise<void> {
  const tenantId = metadata[METADATA.tenant];
  if (tenantId) await beforeChange(tenantId, kind);
}
