/**
 * The life of tenants, from signup to purge: whoever wants to change a tenant asks here, and of two who
 * ask at once one wins. Redis holds the state, by compare-and-set; the log goes to ClickHouse after each
 * transition, and brings the state back when Redis was wiped. What a wipe can lose are transitions whose
 * call has not returned, and those that were made while ClickHouse was away, which is then said.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { dayOf } from '../period.js';
import type { PlanName } from '../plans.js';
import type { RedisClient } from '../redis-client.js';
import { sayFailure } from '../say-failure.js';
import type { LifecycleEntry } from './lifecycle-entry.js';
import { createLifecycleLog, moveLifecycleLog, readLastEntries } from './lifecycle-log.js';
import { LifecycleStore } from './lifecycle-store.js';
import {
  expiredEntry,
  isOverdue,
  nextEntry,
  type TransitionRequest,
  transitionRequest,
} from './next-entry.js';
import { TransitionRefusedError } from './transition-refused-error.js';

export interface TenantLifecycleOptions {
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
  /**
   * The plan that Stripe bills, for an upgrade whose worker died: before or after Stripe made it.
   * @default not known: the plan from before the upgrade
   */
  readonly billedPlan?: (tenantId: string) => Promise<PlanName | undefined>;
}

/**
 * @example
 * const lifecycle = await TenantLifecycle.open(redis, clickhouse);
 * const by = 'signup';
 * await lifecycle.transition({ tenantId: 'acme-corp', event: 'sign_up', plan: 'starter', by });
 * const { version } = await lifecycle.transition({ tenantId: 'acme-corp', event: 'pay', by });
 * await lifecycle.transition({ tenantId: 'acme-corp', event: 'complete', version, by });
 * (await lifecycle.read('acme-corp'))?.state; // 'active'
 */
export class TenantLifecycle {
  readonly #store: LifecycleStore;
  readonly #clickhouse: ClickHouseClient;
  readonly #now: () => Date;
  readonly #billedPlan: (tenantId: string) => Promise<PlanName | undefined>;

  private constructor(redis: RedisClient, clickhouse: ClickHouseClient, options: TenantLifecycleOptions) {
    this.#store = new LifecycleStore(redis);
    this.#clickhouse = clickhouse;
    this.#now = options.now ?? (() => new Date());
    this.#billedPlan = options.billedPlan ?? (async () => undefined);
  }

  static async open(
    redis: RedisClient,
    clickhouse: ClickHouseClient,
    options: TenantLifecycleOptions = {},
  ): Promise<TenantLifecycle> {
    await createLifecycleLog(clickhouse);
    return new TenantLifecycle(redis, clickhouse, options);
  }

  /**
   * The tenant by its last entry; undefined for one that nobody knows. One that Redis does not know is
   * looked for in ClickHouse.
   *
   * @throws InvalidInputError for a malformed tenant id; what ClickHouse says, for a tenant that Redis does
   *   not know: nobody shall sign up anew for being forgotten.
   */
  async read(tenantId: string): Promise<LifecycleEntry | undefined> {
    parseInput(tenantIdSchema, 'tenant id', tenantId);
    const known = await this.#store.read(tenantId);
    if (known) return known;
    await this.rebuild(tenantId);
    return this.#store.read(tenantId);
  }

  /**
   * Changes a tenant, once.
   *
   * @returns the tenant after it; its version is what completes or fails what began
   * @throws TransitionRefusedError with the current state, where that does not allow it or another was quicker.
   * @throws InvalidInputError for a malformed request; nothing has changed then.
   */
  async transition(request: TransitionRequest): Promise<LifecycleEntry> {
    const asked = parseInput(transitionRequest, 'transition', request);
    const now = this.#time();
    let current = await this.read(asked.tenantId);
    while (current && isOverdue(current, now)) {
      if (await this.#expired(current, now)) await this.#moveIfPossible();
      current = await this.read(asked.tenantId);
    }
    const next = nextEntry(current, asked, now);
    const { won, state, version } = await this.#store.replace(current, next);
    const { tenantId, event } = asked;
    if (!won) throw new TransitionRefusedError({ tenantId, event, state, version, changed: true });
    await this.#moveIfPossible();
    return next;
  }

  /**
   * Begins a change, does its work, and completes it. What the work throws rolls it back, and is thrown.
   *
   * @example
   * await lifecycle.during({ tenantId: 'acme-corp', event: 'upgrade', plan: 'pro', by: 'tenant' }, () =>
   *   billing.changePlan({ subscriptionId, planType: 'pro' }),
   * );
   */
  async during(
    request: TransitionRequest,
    work: (begun: LifecycleEntry) => Promise<unknown>,
  ): Promise<LifecycleEntry> {
    const begun = await this.transition(request);
    const { tenantId, by, version } = begun;
    try {
      await work(begun);
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      // What cannot be rolled back now expires; the caller had better hear of the first failure.
      await this.transition({ tenantId, event: 'fail', version, by, reason }).catch(() => undefined);
      throw error;
    }
    return this.transition({ tenantId, event: 'complete', version, by });
  }

  /**
   * Rolls back what is overdue. The next transition of a tenant does so too; this is for those that
   * nobody asks for.
   *
   * @returns the tenants that were rolled back by this call
   */
  async expireStale(): Promise<LifecycleEntry[]> {
    const now = this.#time();
    const expired: LifecycleEntry[] = [];
    for (const tenantId of await this.#store.overdue(now)) {
      const current = await this.#store.read(tenantId);
      if (!current || !isOverdue(current, now)) continue;
      const next = await this.#expired(current, now).catch(
        sayFailure(`The end of what ${tenantId} began waits`),
      );
      if (next) expired.push(next);
    }
    if (expired.length > 0) await this.#moveIfPossible();
    return expired;
  }

  /**
   * Moves the log into ClickHouse, as a worker does every few seconds: for what was left by a killed
   * process, or by a ClickHouse that was away.
   *
   * @returns how many lines were moved
   */
  async moveLog(): Promise<number> {
    return moveLifecycleLog(this.#store, this.#clickhouse);
  }

  /**
   * Brings back from ClickHouse what Redis no longer knows: for every start. A transition in progress is
   * back with its deadline but cannot be completed any more, since its version is passed over.
   *
   * @param tenantId @default all tenants
   * @returns how many tenants are back
   */
  async rebuild(tenantId?: string): Promise<number> {
    await this.moveLog();
    let restored = 0;
    for (const entry of await readLastEntries(this.#clickhouse, tenantId))
      if (await this.#store.restore(entry)) restored += 1;
    return restored;
  }

  /** Rolls one back, unless somebody else changed it meanwhile. */
  async #expired(current: LifecycleEntry, now: Date): Promise<LifecycleEntry | undefined> {
    const billed = current.state === 'upgrading' ? await this.#billedPlan(current.tenantId) : undefined;
    const next = expiredEntry(current, now, billed);
    return (await this.#store.replace(current, next)).won ? next : undefined;
  }

  async #moveIfPossible(): Promise<void> {
    await this.moveLog().catch(sayFailure('The lifecycle log waits in Redis'));
  }

  /** @throws RangeError for a clock that shows no date. */
  #time(): Date {
    const now = this.#now();
    dayOf(now);
    return now;
  }
}
