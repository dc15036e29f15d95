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
} as const;

/** Stripe's time of an instant. */
export const toSeconds = (instant: Date) => Math.floor(instant.getTime() / 1_000);

/** The id of an object, whether Stripe sent it whole or by its id. */
export const idOf = (object: string | { id: string }) => (typeof object === 'string' ? object : object.id);
