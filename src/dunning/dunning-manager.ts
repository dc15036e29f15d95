/**
 * Dunning: tenants that do not pay are reminded, warned, slowed down and suspended, and are back at
 * once when they pay. What is due follows from Stripe's invoices as they are now, the clock, and what
 * the ledger says was done; so a lost message, a restart, a missed day or an event that comes twice or
 * late changes nothing. One process at a time.
 */
import type Stripe from 'stripe';
import { sdkOf } from '../billing/sdk.js';
import { formatCents } from '../money.js';
import type { Notifier } from '../notifier.js';
import { DAY_MS } from '../period.js';
import type { RedisClient } from '../redis-client.js';
import type { StripeClient } from '../stripe-client.js';
import { type Standing, setStanding } from '../tenants/standing.js';
import type { DunningLedger } from './dunning-ledger.js';
import { DUNNING_POLICY, type DunningAction, type DunningPolicy, dueSteps } from './ladder.js';

export interface DunningManagerOptions {
  readonly redis: RedisClient;
  readonly ledger: DunningLedger;
  readonly notifier: Notifier;
  /** @default DUNNING_POLICY */
  readonly policy?: DunningPolicy;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/** What was done in one go: nothing, when nothing was due. */
export interface DunningOutcome {
  readonly tenantId: string;
  readonly actions: readonly (DunningAction | 'reactivated')[];
  readonly standing: Standing;
}

/** An unpaid invoice that was tried to be charged. */
interface Unpaid {
  readonly invoiceId: string;
  readonly firstFailure: Date;
  readonly amountCents: number;
}

/** What the tenant is told. */
const WORDS: Readonly<Record<DunningAction, (amount: string) => string>> = {
  reminder_sent: (amount) => `Your payment of $${amount} did not go through; please look at your card`,
  warning_sent: (amount) => `$${amount} are still open; in three days your limits are halved`,
  rate_limit_reduced: (amount) => `$${amount} are still open; your limits are halved until they are paid`,
  service_suspended: (amount) => `$${amount} are still open; the service is suspended until they are paid`,
};

/**
 * @example
 * const dunning = new DunningManager(stripe, { redis, ledger: await DunningLedger.open(clickhouse), notifier });
 * await dunning.checkCustomer(customerId); // when a webhook tells of an invoice
 * await dunning.checkAll(); // every hour, say
 */
export class DunningManager {
  readonly #stripe: Stripe;
  readonly #options: DunningManagerOptions;
  readonly #policy: DunningPolicy;
  readonly #now: () => Date;

  constructor(client: StripeClient, options: DunningManagerOptions) {
    this.#stripe = sdkOf(client);
    this.#options = options;
    this.#policy = options.policy ?? DUNNING_POLICY;
    this.#now = options.now ?? (() => new Date());
  }

  /** Does what is due for one customer. */
  async checkCustomer(customerId: string): Promise<DunningOutcome | undefined> {
    const customer = await this.#stripe.customers.retrieve(customerId);
    const tenantId = customer.deleted ? undefined : customer.metadata.tenant_id;
    if (!tenantId) return undefined;
    const unpaid: Unpaid[] = [];
    for (const status of ['open', 'uncollectible'] as const) {
      for await (const invoice of this.#stripe.invoices.list({ customer: customerId, status, limit: 100 })) {
        if (isFailed(invoice)) unpaid.push(unpaidOf(invoice));
      }
    }
    return this.#check(tenantId, unpaid);
  }

  /** Does what is due for every customer that owes something, or did until now. */
  async checkAll(tenants: readonly { customerId: string }[]): Promise<DunningOutcome[]> {
    const outcomes: DunningOutcome[] = [];
    for (const { customerId } of tenants) {
      const outcome = await this.checkCustomer(customerId);
      if (outcome && outcome.actions.length > 0) outcomes.push(outcome);
    }
    return outcomes;
  }

  /**
   * The step of a failed payment by its count: 1 is day 1 of the ladder, 2 day 4, 3 day 7, 4 and more day 8.
   *
   * @param payment `invoiceAmount` in cents
   */
  async processFailedPayment(payment: {
    tenantId: string;
    failureCount: number;
    invoiceAmount: number;
  }): Promise<{ action: DunningAction }> {
    const { tenantId, failureCount, invoiceAmount } = payment;
    const step = this.#policy[Math.min(failureCount, this.#policy.length) - 1];
    if (!step) throw new RangeError(`failureCount must be at least 1, current value is ${failureCount}`);
    const firstFailure = new Date(this.#now().getTime() - (step.day - 1) * DAY_MS);
    await this.#check(tenantId, [{ invoiceId: 'by count', firstFailure, amountCents: invoiceAmount }]);
    return { action: step.action };
  }

  /** Gives a tenant all its limits back, whatever it owed. */
  async reactivateTenant(tenantId: string): Promise<{ action: 'reactivated' }> {
    await this.#check(tenantId, []);
    return { action: 'reactivated' };
  }

  async #check(tenantId: string, unpaid: readonly Unpaid[]): Promise<DunningOutcome> {
    const now = this.#now();
    const records = await this.#options.ledger.of(tenantId);
    const [oldest] = [...unpaid].sort((a, b) => a.firstFailure.getTime() - b.firstFailure.getTime());
    const due = oldest ? dueSteps(this.#policy, oldest, now) : [];
    const standing = standingAfter(due.map(({ action }) => action));
    // The effect before the message: nobody is told of a limit that does not hold.
    await setStanding(this.#options.redis, tenantId, standing);
    const actions: DunningOutcome['actions'][number][] = [];
    for (const { action } of due) {
      const invoiceId = oldest?.invoiceId ?? '';
      if (doneSinceReactivation(records, invoiceId).has(action)) continue;
      const text = WORDS[action](formatCents(BigInt(oldest?.amountCents ?? 0)));
      const number = records.length + actions.length + 1;
      await this.#tell({ tenantId, number, invoiceId, action, at: now }, text);
      actions.push(action);
    }
    const open = records.at(-1);
    if (!oldest && open && open.action !== 'reactivated') {
      const { number, invoiceId } = open;
      const record = { tenantId, number: number + 1, invoiceId, action: 'reactivated' as const, at: now };
      await this.#tell(record, 'Thank you, all is paid; your limits are as before');
      actions.push('reactivated');
    }
    return { tenantId, actions, standing };
  }

  /** Written down first: a process that is killed in between has told nobody, and not twice. */
  async #tell(record: Parameters<DunningLedger['keep']>[0], text: string): Promise<void> {
    await this.#options.ledger.keep(record);
    await this.#options.notifier.notify({ topic: record.action, tenantId: record.tenantId, text });
  }
}

/** Tried at least once, in vain. */
const isFailed = (invoice: Stripe.Invoice) => invoice.attempted && invoice.amount_remaining > 0;

function unpaidOf(invoice: Stripe.Invoice): Unpaid {
  // The first charge is tried when the invoice is finalized.
  const first = invoice.status_transitions.finalized_at ?? invoice.created;
  return {
    invoiceId: invoice.id ?? '',
    firstFailure: new Date(first * 1_000),
    amountCents: invoice.amount_remaining,
  };
}

function standingAfter(actions: readonly DunningAction[]): Standing {
  if (actions.includes('service_suspended')) return 'suspended';
  return actions.includes('rate_limit_reduced') ? 'reduced' : 'good';
}

/** What was done for an invoice; a count of failures starts again after a payment. */
function doneSinceReactivation(
  records: Awaited<ReturnType<DunningLedger['of']>>,
  invoiceId: string,
): Set<string> {
  const last = records.map(({ action }) => action).lastIndexOf('reactivated');
  const since = invoiceId === 'by count' ? records.slice(last + 1) : records;
  return new Set(since.filter((record) => record.invoiceId === invoiceId).map(({ action }) => action));
}
