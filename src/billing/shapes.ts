/** What goes into the billing manager and comes out of it: the kit's words, without Stripe's types. */
import type { PlanName } from '../plans.js';
import type { TenantSubscription } from '../tenants/tenant-billing.js';
import type { Catalogue } from './catalogue.js';
import type { TestClock } from './test-clock.js';

export interface BillingManagerOptions {
  readonly catalogue: Catalogue;
  /** The clock on which customers live. @default none: the real time */
  readonly testClock?: TestClock;
  /** The clock. @default the test clock's, or the real time */
  readonly now?: () => Date;
  /**
   * Called before a plan is changed or its change is previewed, or ends at once: the place to report the tenant's usage of the days
   * before, and at the end of today too. When it throws, nothing is changed.
   * @default does nothing
   */
  readonly beforeChange?: (tenantId: string, kind: 'change' | 'end') => Promise<unknown>;
}

/** Who is billed. */
export interface TenantContact {
  readonly tenantId: string;
  readonly email: string;
  readonly name: string;
}

export interface NewSubscription {
  readonly customerId: string;
  readonly planType: PlanName;
  readonly tenantId: string;
  /**
   * 0 for none. A trial ends at the first midnight in UTC after that many days.
   * @default 14, and 0 for a customer that had a trial
   */
  readonly trialDays?: number;
}

export interface Cancellation {
  readonly subscriptionId: string;
  /** Whether the month is served to its end. @default true */
  readonly atPeriodEnd?: boolean;
}

/** A subscription as it is. */
export interface SubscriptionState extends TenantSubscription {
  /** End of the trial, at 00:00 UTC; null without one. */
  readonly trialEnd: Date | null;
}

/** The plan that holds now, and from when the other one holds if that is later. */
export interface PlanChangeResult extends SubscriptionState {
  readonly changesAt: Date | null;
}

/** A tenant's usage of one UTC day. */
export interface DayReport {
  readonly customerId: string;
  /** e.g. `2025-11-30` */
  readonly date: string;
  /** All queries of that day. */
  readonly query_count: number;
  /** Another one for each other total, see report-ledger.ts. */
  readonly revision: number;
}

/** An invoice at Stripe. */
export interface StripeInvoice {
  readonly invoiceId: string;
  /** null until it is finalized. */
  readonly number: string | null;
  /** draft, open, paid, uncollectible or void */
  readonly status: string;
  /** Why it was made: subscription_create, subscription_cycle, subscription_update … */
  readonly reason: string;
  readonly created: Date;
  readonly totalCents: number;
  readonly paidCents: number;
  readonly lines: readonly {
    readonly description: string;
    readonly quantity: number;
    readonly amountCents: number;
  }[];
}
