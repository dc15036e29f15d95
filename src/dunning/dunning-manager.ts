/**
 * Dunning: tenants that do not pay are reminded, warned, slowed down and suspended, and are back at
 * once when they pay. What is due follows from Stripe's invoices as they are now, the clock, and what
 * the ledger says was done; so a lost message, a restart, a missed day or an event that comes twice or
 * late changes nothing. Any number of processes may do it: they take turns for each tenant.
 *
 * A suspension stands in the ledger and at the gate, and not in the tenant's terms: Stripe goes on to
 * charge the base fee, and the plan invoice, which leaves out the time of a state that is not active,
 * would no longer be Stripe's.
 */
import type Stripe from 'stripe';
import { METADATA } from '../billing/context.js';
import { sdkOf } from '../billing/sdk.js';
import { parseInput } from '../input.js';
import type { Notifier, OnceNotice } from '../notifier.js';
import { DAY_MS } from '../period.js';
import type { RedisClient } from '../redis-client.js';
import { sayFailure } from '../say-failure.js';
import type { StripeClient } from '../stripe-client.js';
import { type Standing, setStanding } from '../tenants/gate-entry.js';
import { type TenantLock, type TenantLockOptions, tenantLock } from '../tenants/tenant-lock.js';
import type { DunningLedger, DunningRecord } from './dunning-ledger.js';
import { type FailedPayment, failedPayment } from './failed-payment.js';
import { customersToCheck, NOTHING_OWED, type Owing, tenantOf, unpaidOfTenant } from './find-unpaid.js';
import { DUNNING_POLICY, type DunningAction, type DunningPolicy, type DunningStep } from './ladder.js';
import { newSteps, SILENT } from './new-steps.js';
import { Outbox } from './outbox.js';
import { BY_COUNT, lastChase, STEPS, standingOf } from './records.js';

export interface DunningManagerOptions {
  readonly redis: RedisClient;
  readonly ledger: DunningLedger;
  readonly notifier: Notifier;
  /** @default DUNNING_POLICY */
  readonly policy?: DunningPolicy;
  readonly lock?: TenantLockOptions;
  /**
   * Told how a tenant stands, in each check and each round, whether that changed or not. The tenant's lock is
   * held meanwhile, so it must not take it. What it throws is printed; the next round tells it again.
   * @default nobody is told
   */
  readonly onStanding?: (tenantId: string, standing: Standing) => Promise<void>;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/** What was done in one go: nothing, when nothing was due. Of several steps the tenant is told the last. */
export interface DunningOutcome {
  readonly tenantId: string;
  readonly actions: readonly (DunningAction | 'reactivated')[];
  readonly standing: Standing;
}

/**
 * Reminds, warns, slows down and suspends tenants that do not pay, and brings them back when they pay.
 *
 * @example
 * const dunning = new DunningManager(stripe, { redis, ledger: await DunningLedger.open(clickhouse), notifier });
 * await dunning.checkCustomer(customerId); // when a webhook tells of an invoice
 * await dunning.checkAll(); // every hour, for the days on which no webhook comes
 */
export class DunningManager {
  readonly #stripe: Stripe;
  readonly #options: DunningManagerOptions;
  readonly #policy: DunningPolicy;
  readonly #lock: TenantLock;
  readonly #outbox: Outbox;
  readonly #now: () => Date;

  constructor(client: StripeClient, options: DunningManagerOptions) {
    this.#stripe = sdkOf(client);
    this.#options = options;
    this.#policy = options.policy ?? DUNNING_POLICY;
    this.#lock = tenantLock(options.redis, options.lock);
    this.#now = options.now ?? (() => new Date());
    this.#outbox = new Outbox({ ...options, now: this.#now });
  }

  /** Does what is due for one customer; undefined for one that is no tenant's, or no more, or a purged one's. */
  async checkCustomer(customerId: string): Promise<DunningOutcome | undefined> {
    const customer = await this.#stripe.customers.retrieve(customerId);
    if (customer.deleted) return undefined;
    const tenantId = tenantOf(customer);
    if (!tenantId || customer.metadata[METADATA.forgotten]) return undefined;
    // Looked up with the lock held: an older look must not act after a newer one.
    return this.#lock(tenantId, () =>
      this.#check(tenantId, (records) =>
        unpaidOfTenant(this.#stripe, customer, { isChased: lastChase(records) !== undefined }),
      ),
    );
  }

  /**
   * Does what is due for every customer that owes something, or did when its last step was done. One
   * that fails is told of and does not stop the others.
   *
   * @returns those on whom something was done
   */
  async checkAll(): Promise<DunningOutcome[]> {
    const { ledger, onStanding } = this.#options;
    const known = await ledger.newestOf(STEPS);
    const outcomes: DunningOutcome[] = [];
    for (const customerId of await customersToCheck(this.#stripe, known, this.#now())) {
      const outcome = await this.checkCustomer(customerId).catch(
        sayFailure(`Dunning of ${customerId} waits`),
      );
      if (outcome) outcomes.push(outcome);
    }
    const checked = outcomes.map(({ tenantId }) => tenantId);
    // Who has paid is checked no more, and may be one of whom nobody could be told.
    const settled = onStanding ? known.map(({ tenantId }) => tenantId) : [];
    const rest = new Set([...settled, ...(await ledger.tenantsToTell())]);
    for (const tenantId of [...rest].filter((one) => !checked.includes(one)))
      await this.#lock(tenantId, () => this.#tell(tenantId)).catch(
        sayFailure(`Messages to ${tenantId} wait`),
      );
    return outcomes.filter(({ actions }) => actions.length > 0);
  }

  /**
   * The step of a failed payment by its count: 1 is day 1 of the ladder, 2 day 4, 3 day 7, 4 and more day 8.
   *
   * @throws InvalidInputError for a count or an amount that is none.
   */
  async processFailedPayment(payment: FailedPayment): Promise<{ action: DunningAction }> {
    const { tenantId, failureCount, invoiceAmount } = parseInput(failedPayment, 'failed payment', payment);
    const step = this.#policy[Math.min(failureCount, this.#policy.length) - 1] as DunningStep;
    const firstFailure = new Date(this.#now().getTime() - (step.day - 1) * DAY_MS);
    const unpaid = [{ invoiceId: BY_COUNT, firstFailure, amountCents: invoiceAmount }];
    await this.#lock(tenantId, () => this.#check(tenantId, async () => ({ unpaid, hasLeft: false })));
    return { action: step.action };
  }

  /** Gives a tenant all its limits back. For what it was chased for it is chased no more, paid or not. */
  async reactivateTenant(tenantId: string): Promise<{ action: 'reactivated' }> {
    await this.#lock(tenantId, () => this.#check(tenantId, async () => NOTHING_OWED));
    return { action: 'reactivated' };
  }

  /**
   * Tells of something else once for good, e.g. of a trial that ends without a card.
   *
   * @returns whether it was told now
   */
  async tellOnce({ tenantId, about, topic: action, text }: OnceNotice): Promise<boolean> {
    return this.#lock(tenantId, async () => {
      const records = await this.#options.ledger.of(tenantId);
      const isNew = !records.some((record) => record.about === about && record.action === action);
      const standing = standingOf(records);
      if (isNew) await this.#outbox.write(records, [{ tenantId, about, action, text, standing }]);
      await this.#outbox.send(records);
      return isNew;
    });
  }

  async #check(
    tenantId: string,
    owingOf: (records: readonly DunningRecord[]) => Promise<Owing>,
  ): Promise<DunningOutcome> {
    const records = await this.#options.ledger.of(tenantId);
    const given = { stripe: this.#stripe, policy: this.#policy, now: this.#now() };
    const { steps, standing } = await newSteps(given, records, await owingOf(records));
    const written = steps.map((step) => ({ ...step, tenantId, standing }));
    const isSilent = steps.length === 0 && standingOf(records) !== standing;
    await this.#outbox.write(records, isSilent ? [{ ...SILENT, tenantId, standing }] : written);
    // Each time, since Redis may have been wiped; and before anybody is told of it, or cannot be.
    await setStanding(this.#options.redis, tenantId, standing);
    await this.#tell(tenantId, records);
    return { tenantId, actions: steps.map(({ action }) => action), standing };
  }

  /** Tells others of a tenant how it stands, and the tenant what waits for it. */
  async #tell(tenantId: string, given?: readonly DunningRecord[]): Promise<void> {
    const records = given ?? (await this.#options.ledger.of(tenantId));
    const { onStanding } = this.#options;
    await onStanding?.(tenantId, standingOf(records)).catch(sayFailure(`The standing of ${tenantId} waits`));
    await this.#outbox.send(records);
  }
}
