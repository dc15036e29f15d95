/**
 * A tenant's life at Stripe: customer, card, subscription, change of plan, cancellation. Every write
 * carries an idempotency key made of what it means to do, so that whoever repeats it, after a
 * time-out or a restart, does it once.
 */
import Stripe from 'stripe';
import { ForeignSubscriptionError, MissingCardError, MissingCustomerError } from '../errors.js';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { DAY_MS, monthOf, parseDay } from '../period.js';
import { PLANS, type PlanName, TRIAL_DAYS } from '../plans.js';
import type { StripeClient } from '../stripe-client.js';
import { type Catalogue, METER_EVENT_NAME } from './catalogue.js';
import { sdkOf } from './sdk.js';

export interface BillingManagerOptions {
  readonly catalogue: Catalogue;
  /** Id of the test clock on which customers live. @default none: the real time */
  readonly testClock?: string;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/** A subscription in the kit's words. */
export interface SubscriptionState {
  readonly subscriptionId: string;
  /** As Stripe has it: trialing, active, past_due, … */
  readonly status: string;
  readonly planType: PlanName;
  /** End of the trial, at 00:00 UTC; null without one. */
  readonly trialEnd: Date | null;
}

/** What a change of plan costs now, before it is made. */
export interface PlanChangePreview {
  readonly lines: readonly { readonly description: string; readonly amountCents: number }[];
  readonly totalCents: number;
}

/** What the metadata of customers and subscriptions say at Stripe. */
const TENANT_KEY = 'tenant_id';
const PLAN_KEY = 'plan';
/** A downgrade that waits for the end of the month. */
const NEXT_PLAN_KEY = 'next_plan';

/** A subscription in these states is over. */
const ENDED: readonly string[] = ['canceled', 'incomplete_expired'];

/**
 * @example
 * const billing = new StripeBillingManager(stripe, { catalogue: await ensureCatalogue(stripe) });
 * const customerId = await billing.getOrCreateCustomer({ tenantId: 'acme-corp', email, name });
 * await billing.createSubscription({ customerId, planType: 'pro', tenantId: 'acme-corp' });
 */
export class StripeBillingManager {
  readonly #stripe: Stripe;
  readonly #options: BillingManagerOptions;
  readonly #now: () => Date;
  /** By tenant, as far as they were seen. */
  readonly #customers = new Map<string, string>();

  constructor(client: StripeClient, options: BillingManagerOptions) {
    this.#stripe = sdkOf(client);
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * Makes the customer of a tenant; asked again, it gives the same.
   *
   * @throws InvalidInputError for a malformed tenant id.
   */
  async createCustomer(tenant: { tenantId: string; email: string; name: string }): Promise<string> {
    const tenantId = parseInput(tenantIdSchema, 'tenant id', tenant.tenantId);
    const { testClock } = this.#options;
    const customer = await this.#stripe.customers.create(
      {
        email: tenant.email,
        name: tenant.name,
        metadata: { [TENANT_KEY]: tenantId },
        ...(testClock && { test_clock: testClock }),
      },
      { idempotencyKey: `customer:${tenantId}` },
    );
    return customer.id;
  }

  /**
   * The customer of a tenant, made if there is none. Found by the tenant id in the metadata: an e-mail
   * may stand for two customers, and Stripe's search lags.
   */
  async getOrCreateCustomer(tenant: { tenantId: string; email: string; name: string }): Promise<string> {
    return (await this.findCustomer(tenant.tenantId)) ?? this.createCustomer(tenant);
  }

  /** The customer of a tenant; undefined if there is none. All customers are paged through for one that is new here. */
  async findCustomer(tenantId: string): Promise<string | undefined> {
    if (this.#customers.has(tenantId)) return this.#customers.get(tenantId);
    const { testClock } = this.#options;
    const pages = this.#stripe.customers.list({ limit: 100, ...(testClock && { test_clock: testClock }) });
    for await (const { id, metadata } of pages) {
      const tenant = metadata[TENANT_KEY];
      if (tenant) this.#customers.set(tenant, id);
    }
    return this.#customers.get(tenantId);
  }

  /**
   * Attaches a card and makes it the one that is charged.
   *
   * @throws Stripe's card error when the card is refused.
   */
  async attachPaymentMethod(card: { customerId: string; paymentMethodId: string }): Promise<void> {
    const { id } = await this.#stripe.paymentMethods.attach(card.paymentMethodId, {
      customer: card.customerId,
    });
    await this.#stripe.customers.update(card.customerId, {
      invoice_settings: { default_payment_method: id },
    });
  }

  /**
   * Subscribes a tenant to a plan: base fee and usage. The month is the calendar's, from the 1st at
   * 00:00 UTC, so that it is that of the cost invoice; the first fee is for the days that are left.
   * A tenant that has a subscription keeps it.
   *
   * @param trialDays 0 for none. A trial ends at the first midnight in UTC after that many days. @default 14
   * @throws MissingCardError without a trial and without a card.
   */
  async createSubscription(given: {
    customerId: string;
    planType: PlanName;
    tenantId: string;
    trialDays?: number;
  }): Promise<SubscriptionState> {
    const { customerId, planType, tenantId, trialDays = TRIAL_DAYS } = given;
    const subscriptions = await this.#subscriptionsOf(customerId);
    const live = subscriptions.find(({ status }) => !ENDED.includes(status));
    if (live) return stateOf(live);
    if (trialDays === 0 && !(await this.hasCard(customerId))) throw new MissingCardError(tenantId);

    const prices = this.#options.catalogue.plans[planType];
    const now = this.#now();
    const trialEnd = trialDays > 0 ? nextMidnight(new Date(now.getTime() + trialDays * DAY_MS)) : undefined;
    const anchor = nextMonthStart(trialEnd ?? now);
    const subscription = await this.#stripe.subscriptions.create(
      {
        customer: customerId,
        items: [{ price: prices.basePriceId, quantity: 1 }, { price: prices.usagePriceId }],
        // On the 1st itself the month begins with the subscription.
        ...(anchor > now && { billing_cycle_anchor: seconds(anchor) }),
        ...(trialEnd && {
          trial_end: seconds(trialEnd),
          trial_settings: {
            end_behavior: { missing_payment_method: 'create_invoice', billing_cycle_anchor: 'unchanged' },
          },
        }),
        billing_mode: { type: 'flexible' },
        metadata: { [TENANT_KEY]: tenantId, [PLAN_KEY]: planType },
      },
      // After a subscription that ended a new one is another intent.
      { idempotencyKey: `subscription:${tenantId}:${planType}:after:${subscriptions[0]?.id ?? 'none'}` },
    );
    return stateOf(subscription);
  }

  /** What an upgrade would cost today, without making it. */
  async previewPlanChange(change: {
    subscriptionId: string;
    planType: PlanName;
  }): Promise<PlanChangePreview> {
    const subscription = await this.#retrieve(change.subscriptionId);
    const preview = await this.#stripe.invoices.createPreview({
      customer: idOf(subscription.customer),
      subscription: subscription.id,
      subscription_details: {
        items: this.#itemsFor(subscription, change.planType),
        proration_behavior: 'always_invoice',
        proration_date: seconds(this.#todayOf(subscription)),
      },
    });
    const lines = preview.lines.data.map((line) => ({
      description: line.description ?? '',
      amountCents: line.amount,
    }));
    return { lines, totalCents: preview.total };
  }

  /**
   * Changes the plan. A dearer one holds at once: what is left of the old fee is credited, the rest of
   * the month at the new fee charged. A cheaper one holds from the 1st of next month.
   *
   * @returns the plan that holds now, and from when the other one holds if that is later
   */
  async changePlan(change: {
    subscriptionId: string;
    planType: PlanName;
  }): Promise<SubscriptionState & { readonly changesAt: Date | null }> {
    const subscription = await this.#retrieve(change.subscriptionId);
    const before = stateOf(subscription);
    const { planType } = change;
    if (before.planType === planType && !subscription.metadata[NEXT_PLAN_KEY])
      return { ...before, changesAt: null };
    const key = `plan:${subscription.id}:${before.planType}:${planType}:${this.#now().toISOString().slice(0, 10)}`;
    if (PLANS[planType].baseCents < PLANS[before.planType].baseCents) {
      const marked = await this.#stripe.subscriptions.update(
        subscription.id,
        { metadata: { [NEXT_PLAN_KEY]: planType } },
        { idempotencyKey: `${key}:later` },
      );
      return { ...stateOf(marked), changesAt: monthOf(this.#now()).end };
    }
    return {
      ...(await this.#switchTo(subscription, planType, this.#todayOf(subscription), key)),
      changesAt: null,
    };
  }

  /**
   * Makes the downgrades that waited for this month. To be called when a month has begun; calling it
   * again does nothing.
   *
   * @returns the state after the change, or undefined when none waited
   */
  async applyWaitingChange(subscriptionId: string): Promise<SubscriptionState | undefined> {
    const subscription = await this.#retrieve(subscriptionId);
    const planType = subscription.metadata[NEXT_PLAN_KEY] as PlanName | undefined;
    const begins = monthOf(this.#now()).start;
    if (!planType || ENDED.includes(subscription.status)) return undefined;
    return this.#switchTo(
      subscription,
      planType,
      begins,
      `plan:${subscription.id}:${planType}:${begins.toISOString()}`,
    );
  }

  /**
   * Cancels at the end of the month, or at once with a last invoice for what was used; then the unused
   * part of the fee is credited.
   */
  async cancelSubscription(given: {
    subscriptionId: string;
    atPeriodEnd?: boolean;
  }): Promise<SubscriptionState> {
    const { subscriptionId, atPeriodEnd = true } = given;
    const subscription = await this.#retrieve(subscriptionId);
    if (ENDED.includes(subscription.status)) return stateOf(subscription);
    const ended = atPeriodEnd
      ? await this.#stripe.subscriptions.update(subscriptionId, { cancel_at_period_end: true })
      : await this.#stripe.subscriptions.cancel(subscriptionId, { invoice_now: true, prorate: true });
    return stateOf(ended);
  }

  /**
   * Reports a day's total of a tenant. Of the reports of one day Stripe takes the newest; the same
   * revision twice counts once.
   *
   * @param report `revision` is another for each other total, see report-ledger.ts
   */
  async reportUsage(report: {
    customerId: string;
    tenant_id: string;
    date: string;
    query_count: number;
    revision: number;
  }): Promise<void> {
    const identifier = `${report.tenant_id}:${report.date}:${report.revision}`;
    try {
      await this.#stripe.billing.meterEvents.create(
        {
          event_name: METER_EVENT_NAME,
          payload: { stripe_customer_id: report.customerId, value: String(report.query_count) },
          identifier,
          // The last second of the day, so that it lies after a subscription's or a plan's beginning on
          // that day; a day that is not over has no later moment than now.
          timestamp: seconds(
            new Date(Math.min(parseDay(report.date).end.getTime() - 1, this.#now().getTime())),
          ),
        },
        { idempotencyKey: `usage:${identifier}` },
      );
    } catch (error) {
      // An earlier call arrived, and its answer was lost.
      if (!isDuplicate(error)) throw error;
    }
  }

  /** The customer of a subscription, or else of a tenant. */
  async customerFor(given: { tenantId: string; subscriptionId?: string | undefined }): Promise<string> {
    if (given.subscriptionId) return idOf((await this.#retrieve(given.subscriptionId)).customer);
    const customer = await this.findCustomer(given.tenantId);
    if (!customer) throw new MissingCustomerError(given.tenantId);
    return customer;
  }

  /** Whether there is a card to charge. */
  async hasCard(customerId: string): Promise<boolean> {
    const customer = await this.#stripe.customers.retrieve(customerId);
    return !customer.deleted && customer.invoice_settings.default_payment_method !== null;
  }

  async #switchTo(
    subscription: Stripe.Subscription,
    planType: PlanName,
    from: Date,
    idempotencyKey: string,
  ): Promise<SubscriptionState> {
    const changed = await this.#stripe.subscriptions.update(
      subscription.id,
      {
        items: this.#itemsFor(subscription, planType),
        proration_behavior: 'always_invoice',
        proration_date: seconds(from),
        metadata: { [PLAN_KEY]: planType, [NEXT_PLAN_KEY]: '' },
      },
      { idempotencyKey },
    );
    return stateOf(changed);
  }

  /** The beginning of the day, or of the subscription if that was later. */
  #todayOf({ items }: Stripe.Subscription): Date {
    const begun = items.data.map(({ current_period_start: start }) => start * 1_000);
    return new Date(Math.max(startOfDay(this.#now()).getTime(), ...begun));
  }

  /** The same two items with the prices of another plan. */
  #itemsFor(subscription: Stripe.Subscription, planType: PlanName): { id: string; price: string }[] {
    const prices = this.#options.catalogue.plans[planType];
    return subscription.items.data.map(({ id, price }) => ({
      id,
      price: price.recurring?.usage_type === 'metered' ? prices.usagePriceId : prices.basePriceId,
    }));
  }

  async #retrieve(subscriptionId: string): Promise<Stripe.Subscription> {
    return this.#stripe.subscriptions.retrieve(subscriptionId);
  }

  /** Newest first. */
  async #subscriptionsOf(customer: string): Promise<Stripe.Subscription[]> {
    return this.#stripe.subscriptions
      .list({ customer, status: 'all', limit: 100 })
      .autoPagingToArray({ limit: 1_000 });
  }
}

function stateOf(subscription: Stripe.Subscription): SubscriptionState {
  const planType = subscription.metadata[PLAN_KEY];
  if (!planType || !(planType in PLANS)) throw new ForeignSubscriptionError(subscription.id);
  return {
    subscriptionId: subscription.id,
    status: subscription.status,
    planType: planType as PlanName,
    trialEnd: subscription.trial_end === null ? null : new Date(subscription.trial_end * 1_000),
  };
}

const idOf = (object: string | { id: string }) => (typeof object === 'string' ? object : object.id);
const seconds = (instant: Date) => Math.floor(instant.getTime() / 1_000);
const startOfDay = (instant: Date) => new Date(Math.floor(instant.getTime() / DAY_MS) * DAY_MS);
const nextMidnight = (instant: Date) => new Date(Math.ceil(instant.getTime() / DAY_MS) * DAY_MS);
/** The first of a month at or after an instant. */
const nextMonthStart = (instant: Date) => monthOf(new Date(instant.getTime() - 1)).end;

/** Stripe tells of a repeated identifier by its words alone. */
function isDuplicate(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError &&
    /already exists with identifier/.test(error.message)
  );
}
