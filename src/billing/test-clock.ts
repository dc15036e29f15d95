/**
 * The kit's clock and Stripe's test clocks as one: whoever moves it moves both, and Stripe renews,
 * charges and retries for all the time in between. A clock at Stripe takes three customers, so there
 * are as many as are needed. Test clocks exist in a sandbox and in the local Stripe alone.
 */
import { setTimeout } from 'node:timers/promises';
import type Stripe from 'stripe';
import { monthOf } from '../period.js';
import type { StripeClient } from '../stripe-client.js';
import { toSeconds } from './context.js';
import { sdkOf } from './sdk.js';

export interface TestClock {
  now(): Date;
  /** Ids of the clocks at Stripe. */
  ids(): readonly string[];
  /** Id of a clock at Stripe that has room for one more customer, which the caller makes next. */
  place(): Promise<string>;
  /**
   * Moves on, and waits until Stripe has done all that falls due until then.
   *
   * @throws RangeError for an instant before now.
   */
  advanceTo(instant: Date): Promise<void>;
  /** Removes the clocks at Stripe, and their customers with them. */
  remove(): Promise<void>;
}

/**
 * The parameters of a list of customers or subscriptions at Stripe, which tells those on test clocks apart:
 * a list for each clock, or one without.
 */
export const clockFilters = (testClock: Pick<TestClock, 'ids'> | undefined): { test_clock?: string }[] =>
  testClock ? testClock.ids().map((id) => ({ test_clock: id })) : [{}];

/** Stripe's limit. */
const CUSTOMERS_PER_CLOCK = 3;

/** Longest wait between two looks whether Stripe has arrived. */
const LOOK_MS = 1_000;

/**
 * A clock that is ours and Stripe’s at once: moved on, Stripe renews, charges and retries for the time in between.
 *
 * @example
 * const clock = openTestClock(stripe, { start: new Date('2025-11-01T00:00:00Z') });
 * const billing = new StripeBillingManager(stripe, { catalogue, testClock: clock });
 * await clock.advanceTo(new Date('2025-12-01T00:00:00Z')); // a month passes
 */
export function openTestClock(
  client: StripeClient,
  { start, name = 'meterbridge' }: { start: Date; name?: string },
): TestClock {
  const { testClocks } = sdkOf(client).testHelpers;
  let now = start;
  /** Customers on each clock, counted when their place is given away. */
  const customers = new Map<string, number>();
  let placing: Promise<unknown> = Promise.resolve();

  const place = async () => {
    for (const [id, taken] of customers) {
      if (taken === CUSTOMERS_PER_CLOCK) continue;
      customers.set(id, taken + 1);
      return id;
    }
    const { id } = await testClocks.create({ frozen_time: toSeconds(now), name });
    customers.set(id, 1);
    return id;
  };
  return {
    now: () => now,
    ids: () => [...customers.keys()],
    place() {
      const mine = placing.then(place);
      // One after the other, or two would both make a clock; a failure is its own caller's.
      placing = mine.catch(() => undefined);
      return mine;
    },
    async advanceTo(instant) {
      if (instant < now)
        throw new RangeError(
          `Cannot go back to ${instant.toISOString()}: the clock is at ${now.toISOString()}`,
        );
      while (now < instant) {
        // Stripe takes at most two billing periods at a time.
        const next = new Date(Math.min(monthOf(now).end.getTime(), instant.getTime()));
        await Promise.all([...customers.keys()].map((id) => advance(testClocks, id, next)));
        now = next;
      }
    },
    async remove() {
      for (const id of [...customers.keys()]) {
        await testClocks.del(id);
        customers.delete(id);
      }
    },
  };
}

async function advance(testClocks: Stripe['testHelpers']['testClocks'], id: string, to: Date): Promise<void> {
  let { status } = await testClocks.advance(id, { frozen_time: toSeconds(to) });
  for (let waitMs = 5; status === 'advancing'; waitMs = Math.min(waitMs * 2, LOOK_MS)) {
    await setTimeout(waitMs);
    ({ status } = await testClocks.retrieve(id));
  }
  if (status !== 'ready') throw new Error(`Cannot go on with test clock ${id}: it is ${status}`);
}
