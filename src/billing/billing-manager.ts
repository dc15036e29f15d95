/**
 * A tenant's life at Stripe: customer, card, subscription, change of plan, cancellation. Every write
 * carries an idempotency key made of what it means to do, so that whoever repeats it, after a
 * time-out or a restart, does it once. Each kind of work has a file of its own beside this one.
 */
import type { StripeClient } from '../stripe-client.js';
import type { PlanChange, Proration } from '../tenants/tenant-billing.js';
import { attachCard, hasCard } from './attach-card.js';
import { cancelSubscription, resumeSubscription } from './cancel-subscription.js';
import { applyWaitingChange, changePlan, previewPlanChange } from './change-plan.js';
import type { BillingContext } from './context.js';
import { createSubscription } from './create-subscription.js';
import { Customers } from './customers.js';
import { findSubscription } from './find-subscription.js';
import { invoicesOf } from './invoices-of.js';
import { owedCents, payOpenInvoices } from './pay-open-invoices.js';
import { reportUsage } from './report-usage.js';
import { sdkOf } from './sdk.js';
import type {
  BillingManagerOptions,
  Cancellation,
  DayReport,
  NewSubscription,
  PlanChangeResult,
  StripeInvoice,
  SubscriptionState,
  TenantContact,
} from './shapes.js';

/**
 * A tenant's life at Stripe: customer, card, subscription, change of plan, cancellation, usage. Whatever is
 * repeated is done once.
 *
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
   * Makes the customer of a tenant; asked again, it gives the same, however much later.
   *
   * @throws InvalidInputError for a malformed tenant id, CustomerDiffersError when the tenant has one with
   *   another e-mail address or name.
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

  /** The customers of all tenants, by tenant id, as they are now. */
  async allCustomers(): Promise<Map<string, string>> {
    return this.#customers.all();
  }

  /**
   * Attaches a card and makes it the one that is charged.
   *
   * @throws Stripe's card error when the card is refused.
   */
  async attachPaymentMethod(card: { customerId: string; paymentMethodId: string }): Promise<void> {
    return attachCard(this.#context, card);
  }

  /** Whether there is a card to charge. */
  async hasCard(customerId: string): Promise<boolean> {
    return hasCard(this.#context, customerId);
  }

  /**
   * Subscribes a tenant to a plan: base fee and usage. The month is the calendar's, from the 1st at
   * 00:00 UTC, so that it is that of the cost invoice; the first fee is for the days that are left.
   * A tenant that has a subscription keeps it, whatever its plan: of two calls at once one is made, and both
   * give it. A trial is given once; who comes back has another if `trialDays` says so.
   *
   * @throws MissingCardError without a trial and without a card, SubscriptionLeavingError while its own ends with
   *   its month, SubscriptionConflictError while another request for one is not settled.
   */
  async createSubscription(given: NewSubscription): Promise<SubscriptionState> {
    return createSubscription(this.#context, given);
  }

  /** The subscription of a customer, or else the last one that ended; undefined if it had none. */
  async findSubscription(customerId: string): Promise<SubscriptionState | undefined> {
    return findSubscription(this.#context, customerId);
  }

  /**
   * What an upgrade would cost today, without making it; with the usage of the days before, which is reported first.
   *
   * @throws what `beforeChange` throws.
   */
  async previewPlanChange(change: PlanChange): Promise<Proration> {
    return previewPlanChange(this.#context, change);
  }

  /**
   * Changes the plan. A dearer one holds at once: what is left of the old fee is credited, the rest of
   * the month at the new fee charged. A cheaper one holds from the 1st of next month.
   *
   * @throws what `beforeChange` throws: the plan stays as it is then.
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
   * Cancels at the end of the month, or at once with a last invoice: what was used, less the unused part of a
   * fee that was paid. Stripe pays nothing out: what is left of that credit is lost. Of a fee that is owed the
   * unused part is taken off, or is a credit on the balance; that stays there. May be repeated.
   *
   * @throws what `beforeChange` throws: the subscription goes on then.
   */
  async cancelSubscription(given: Cancellation): Promise<SubscriptionState> {
    return cancelSubscription(this.#context, given);
  }

  /**
   * Takes back a cancellation at the end of the month: the subscription goes on as it was. One that is not
   * cancelled stays as it is.
   *
   * @throws SubscriptionEndedError when it is over.
   * @example await billing.resumeSubscription(subscriptionId); // after cancelSubscription({ subscriptionId })
   */
  async resumeSubscription(subscriptionId: string): Promise<SubscriptionState> {
    return resumeSubscription(this.#context, subscriptionId);
  }

  /**
   * Reports a day's total of a tenant. Of the reports of one day Stripe takes the newest; the same
   * revision twice counts once.
   *
   * @throws InvalidInputError for a count that is not whole or negative.
   */
  async reportUsage(report: DayReport): Promise<void> {
    return reportUsage(this.#context, report);
  }

  /**
   * Charges what a customer owes, as when it has given another card: open invoices, those given up as
   * uncollectible, and what an unpaid subscription held back.
   *
   * @returns ids of the invoices that are paid now
   * @throws Stripe's card error when the card is refused, PaymentUnderWayError while another call pays.
   */
  async payOpenInvoices(customerId: string): Promise<string[]> {
    return payOpenInvoices(this.#context, customerId);
  }

  /** What {@link payOpenInvoices} would charge. */
  async owedCents(customerId: string): Promise<number> {
    return owedCents(this.#context, customerId);
  }

  /** A customer's invoices, oldest first. */
  async invoicesOf(customerId: string): Promise<StripeInvoice[]> {
    return invoicesOf(this.#context, customerId);
  }

  /**
   * The customer of a tenant's subscription, or else of the tenant.
   *
   * @throws MissingCustomerError when the tenant has none, WrongTenantError for another's subscription.
   */
  async customerFor(given: { tenantId: string; subscriptionId?: string | undefined }): Promise<string> {
    return this.#customers.for(given);
  }
}
