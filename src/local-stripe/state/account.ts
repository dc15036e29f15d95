/** One Stripe account: its tables, its clocks, and the events of the call that is under way. */

import { changedAttributes } from '../events/changed-attributes.js';
import type { DeliveryPlan, WebhookFunction } from '../events/delivery-plan.js';
import { keepEvents } from '../events/keep-events.js';
import { ApiError } from '../http/api-error.js';
import { Ids } from './ids.js';
import { type Change, Journal } from './journal.js';
import { type DueRow, type PendingEvent, STEPS } from './rows.js';
import type { AccountSettings } from './settings.js';
import { type Customer, createTables, type Tables } from './tables.js';

export const LIVE_CLOCK = 'live';

/** The call that makes the changes; null for what happens by itself. */
export interface Cause {
  readonly id: string;
  readonly idempotency_key: string | null;
}

export class Account {
  readonly journal: Journal;
  readonly tables: Tables;
  readonly ids: Ids;
  /** Events of the work under way, in order. */
  readonly outbox: PendingEvent[] = [];
  /** Test clocks that stand still because a webhook is being handed over. */
  readonly waiting = new Set<string>();
  /** Functions that take webhooks; they live as long as the process. */
  readonly functions = new Map<string, WebhookFunction>();
  deliveryPlan: DeliveryPlan = {};
  cause: Cause | null = null;
  /** Personal data was redacted, which the file still has. */
  isRedacted = false;
  /** Nothing is made final: what is done is only looked at, and taken back. */
  isPreview = false;
  /** The time at which the clocks are taken to stand while some work is done. */
  #pretended: number | null = null;

  constructor(
    readonly settings: AccountSettings,
    private readonly liveNow: () => Date,
    { seed, save }: { seed?: string | undefined; save: (changes: readonly Change[]) => void },
  ) {
    this.journal = new Journal(save);
    this.tables = createTables(this.journal);
    this.ids = new Ids(seed);
  }

  /** Does a call's or a step's work as a whole or not at all, and then keeps its events. */
  work<T>(cause: Cause | null, work: () => T): T {
    this.cause = cause;
    try {
      return this.journal.atomic(() => {
        const result = work();
        keepEvents(this);
        return result;
      });
    } finally {
      this.cause = null;
    }
  }

  /** The time of customers without a test clock, in Unix seconds. */
  now(): number {
    return this.#pretended ?? Math.floor(this.liveNow().getTime() / 1_000);
  }

  /** Does a step as of its time: clocks stand at the step while it is done. */
  workAt(clock: string, at: number, work: () => void): void {
    if (clock === LIVE_CLOCK) this.pretend(at, () => this.work(null, work));
    else {
      this.work(null, () => {
        this.tables.testClocks.change(clock, { frozen_time: at });
        work();
      });
    }
  }

  /** Does work to look at its result, and takes it back; a clock that advances does not refuse it. */
  preview<T>(work: () => T): T {
    const { cause } = this;
    this.cause = null;
    this.isPreview = true;
    try {
      return this.journal.tentative(work);
    } finally {
      this.isPreview = false;
      this.cause = cause;
    }
  }

  /** Does work as if all clocks stood at a time: what the live clock has missed, and previews. */
  pretend<T>(at: number, work: () => T): T {
    this.#pretended = at;
    try {
      return work();
    } finally {
      this.#pretended = null;
    }
  }

  /** The time of a clock. */
  timeOf(clock: string): number {
    const isLive = clock === LIVE_CLOCK || this.#pretended !== null;
    return isLive ? this.now() : this.tables.testClocks.one(clock).frozen_time;
  }

  /**
   * A customer with the clock that it lives on.
   *
   * @throws ApiError 429 for a call that changes a customer whose clock is advancing, as Stripe does;
   *   while the clock waits for a webhook to be taken it stands still, and the handler may write.
   */
  customer(id: string, param = 'customer'): { customer: Customer; clock: string; now: number } {
    const customer = this.tables.customers.one(id, param);
    const clock = this.clockOf(customer);
    const advancing = this.tables.testClocks.get(clock)?.status === 'advancing';
    if (this.cause && advancing && this.settings.clockLimits && !this.waiting.has(clock)) {
      throw new ApiError(429, `Test clock advancement underway - cannot perform modifications: ${clock}`, {
        type: 'invalid_request_error',
        code: 'rate_limit',
      });
    }
    return { customer, clock, now: this.timeOf(clock) };
  }

  newId(prefix: string): string {
    return this.ids.next(prefix);
  }

  /**
   * Notes an event; it is kept when the work is done.
   *
   * @param place where in the outbox, when it must stand before others that are already noted
   */
  emit(
    type: string,
    object: object,
    { before, place = this.outbox.length }: { before?: object; place?: number } = {},
  ): void {
    const previous = before && changedAttributes(before, object);
    const request = this.cause ?? { id: null, idempotency_key: null };
    const clock = this.clockOf(before ?? object);
    const event = { type, clock, at: this.timeOf(clock), object, previous, request };
    this.outbox.splice(place, 0, event);
    this.journal.onUndo(() => this.outbox.splice(this.outbox.indexOf(event), 1));
  }

  /** Puts a step of a subscription or an invoice on its clock; the same step is moved. */
  schedule(step: DueRow['step'], subject: { readonly id: string }, at: number): void {
    const { id } = subject;
    const clock = this.clockOf(subject);
    this.tables.due.put({ id: `${step}/${id}`, clock, at, rank: STEPS.indexOf(step), step, subject: id });
  }

  unschedule(subject: string, ...steps: DueRow['step'][]): void {
    for (const step of steps) this.tables.due.delete(`${step}/${subject}`);
  }

  /** The test clock that an object lives on, by itself or with what it belongs to; or `live`. */
  clockOf(object: object): string {
    const { id = '', ...row } = object as Readonly<Record<string, string>>;
    const { customers, charges, invoices, testClocks } = this.tables;
    if (row.object === 'test_helpers.test_clock') return testClocks.get(id) ? id : LIVE_CLOCK;
    if (row.test_clock) return row.test_clock;
    const owner = customers.get(row.customer) ?? charges.get(row.charge) ?? invoices.get(row.invoice);
    return owner ? this.clockOf(owner) : LIVE_CLOCK;
  }
}
