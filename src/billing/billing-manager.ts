/**
 * A tenant's life at Stripe: customer, card, subscription, change of plan, cancellation. Every write
 * carries an idempotency key made of what it means to do, so that whoever repeats it, after a
 * time-out or a restart, does it once. Each kind of work has a file of its own beside this one.
 */
import { MissingCustomerError } from '../errors.js';
import type { StripeClient } from '../stripe-client.js';
import type { Catalogue } from './catalogue.js';
import { applyWaitingChange, changePlan, previewPlanChange } from './change-plan.js';
import { type BillingContext, idOf, METADATA } from './context.js';
import { createSubscription } from './create-subscription.js';
import { Customers } from './customers.js';
import { invoicesOf } from './invoices-of.js';
import { payOpenInvoices } from './pay-open-invoices.js';
import { reportUsage } from './report-usage.js';
import { sdkOf } from './sdk.js';
import type {
  DayReport,
  NewSubscription,
  PlanChange,
  PlanChangePreview,
  PlanChangeResult,
  StripeInvoice,
  SubscriptionState,
  TenantContact,
} from './shapes.js';
import { hasEnded, stateOf } from './subscription-state.js';
import type { TestClock } from './test-clock.js';

export interface BillingManagerOptions {
  readonly catalogue: Catalogue;
  /** The clock on which customers live. @default none: the real time */
  readonly testClock?: TestClock;
  /** The clock. @default the test clock's, or the real time */
  readonly now?: () => Date;
  /**
   * Called before a plan is changed, or ends at once: the place to report the tenant's usage of the days
   * before, and at the end of today too.
   * @default does nothing
   */
  readonly beforeChange?: (tenantId: string, kind: 'change' | 'end') => Promise<unknown>;
}

/**
 * @example
 * const billing = new StripeBillingManager(stripe, { catalogue: await ensureCatalogue(stripe) });
 * const customerId = await billing.getOrCreateCustomer({ tenantId: 'acme-corp', email, name });
 * await billing.createSubscription({ customerId, planType: 'pro', tenantId: 'acme-corp' });
 */
export class StripeBillingManager {
  readonly #context: BillingContext;
  readonly #customers: Customers;

  constructor(client: StripeClient, options: BillingManagerOptions) {
    const { catalogue, testClock, beforeChange = async () => undefined } = options;
    const now = options.now ?? (() => testClock?.now() ?? new Date());
    this.#context = { stripe: sdkOf(client), catalogue, testClock, now, beforeChange };
    this.#customers = new Customers(this.#context);
  }

  /**
   * Makes the customer of a tenant; asked again, it gives the same.
   *
   * @throws InvalidInputError for a malformed tenant id.
   */
  async createCustomer(contact: TenantContact): Promise<string> {
    return this.#customers.create(contact);
  }

  /**
   * The customer of a tenant, made if there is none. Found by the tenant id in the metadata: an e-mail
   * may stand for two customers, and Stripe's search lags.
   */
  async getOrCreateCustomer(contact: TenantContact): Promise<string> {
    return this.#customers.getOrCreate(contact);
  }

  /** The customer of a tenant; undefined if there is none. All customers are paged through for one that is new here. */
  async findCustomer(tenantId: string): Promise<string | undefined> {
    return this.#customers.find(tenantId);
  }

  /**
   * Attaches a card and makes it the one that is charged.
   *
   * @throws Stripe's card error when the card is refused.
   */
  async attachPaymentMethod(card: { customerId: string; paymentMethodId: string }): Promise<void> {
    return this.#customers.attachCard(card);
  }

  /** Whether there is a card to charge. */
  async hasCard(customerId: string): Promise<boolean> {
    return this.#customers.hasCard(customerId);
  }

  /**
   * Subscribes a tenant to a plan: base fee and usage. The month is the calendar's, from the 1st at
   * 00:00 UTC, so that it is that of the cost invoice; the first fee is for the days that are left.
   * A tenant that has a subscription keeps it.
   *
   * @throws MissingCardError without a trial and without a card.
   */
  async createSubscription(given: NewSubscription): Promise<SubscriptionState> {
    return createSubscription(this.#context, given, () => this.hasCard(given.customerId));
  }

  /** The subscription of a customer, the newest if it had several; undefined if it had none. */
  async findSubscription(customerId: string): Promise<SubscriptionState | undefined> {
    const list = this.#context.stripe.subscriptions.list({ customer: customerId, status: 'all', limit: 1 });
    const [newest] = (await list).data;
    return newest && stateOf(newest);
  }

  /** What an upgrade would cost today, without making it. */
  async previewPlanChange(change: PlanChange): Promise<PlanChangePreview> {
    return previewPlanChange(this.#context, change);
  }

  /**
   * Changes the plan. A dearer one holds at once: what is left of the old fee is credited, the rest of
   * the month at the new fee charged. A cheaper one holds from the 1st of next month.
   */
  async changePlan(change: PlanChange): Promise<PlanChangeResult> {
    return changePlan(this.#context, change);
  }

  /**
   * Makes the downgrade that waited for this month. To be called when a month has begun; calling it
   * again does nothing.
   *
   * @returns the state after the change, or undefined when none waited
   */
  async applyWaitingChange(subscriptionId: string): Promise<SubscriptionState | undefined> {
    return applyWaitingChange(this.#context, subscriptionId);
  }

  /**
   * Cancels at the end of the month, or at once with a last invoice: what was used, less the unused part of
   * the fee. Stripe pays nothing out: what is left of that credit is lost.
   */
  async cancelSubscription(given: {
    subscriptionId: string;
    atPeriodEnd?: boolean;
  }): Promise<SubscriptionState> {
    const { subscriptionId, atPeriodEnd = true } = given;
    const { subscriptions } = this.#context.stripe;
    const subscription = await subscriptions.retrieve(subscriptionId);
    if (hasEnded(subscription)) return stateOf(subscription);
    const tenantId = subscription.metadata[METADATA.tenant];
    if (!atPeriodEnd && tenantId) await this.#context.beforeChange(tenantId, 'end');
    const ended = atPeriodEnd
      ? await subscriptions.update(subscriptionId, { cancel_at_period_end: true })
      : await subscriptions.cancel(subscriptionId, { invoice_now: true, prorate: true });
    return stateOf(ended);
  }

  /**
   * Reports a day's total of a tenant. Of the reports of one day Stripe takes the newest; the same
   * revision twice counts once.
   */
  async reportUsage(report: DayReport): Promise<void> {
    return reportUsage(this.#context, report);
  }

  /**
   * Charges what a customer owes, as when it has given another card: open invoices, and what an unpaid
   * subscription held back.
   *
   * @returns ids of the invoices that are paid now
   * @throws Stripe's card error when the card is refused.
   */
  async payOpenInvoices(customerId: string): Promise<string[]> {
    return payOpenInvoices(this.#context, customerId);
  }

  /** A customer's invoices, oldest first. */
  async invoicesOf(customerId: string): Promise<StripeInvoice[]> {
    return invoicesOf(this.#context, customerId);
  }

  /**
   * The customer of a subscription, or else of a tenant.
   *
   * @throws MissingCustomerError when the tenant has none.
   */
  async customerFor(given: { tenantId: string; subscriptionId?: string | undefined }): Promise<string> {
    if (given.subscriptionId) {
      const { customer } = await this.#context.stripe.subscriptions.retrieve(given.subscriptionId);
      return idOf(customer);
    }
    const customer = await this.findCustomer(given.tenantId);
    if (!customer) throw new MissingCustomerError(given.tenantId);
    return customer;
  }
}
