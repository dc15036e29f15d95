/** Lets time pass: does what a clock has due, in order, and hands over webhooks in between. */
import { deliverNext } from '../events/deliver.js';
import { type Account, LIVE_CLOCK } from '../state/account.js';
import { NotSavedError } from '../state/journal.js';
import type { DueRow } from '../state/rows.js';
import { doStep } from './do-step.js';

/**
 * Does the steps of the live clock that have come due, without waiting for webhooks: a call must
 * find the state of its time.
 */
export function catchUp(account: Account): void {
  const until = account.now();
  const { due } = account.tables;
  for (let step = due.next(LIVE_CLOCK, until); step; step = due.next(LIVE_CLOCK, until)) {
    doLiveStep(account, step);
  }
}

/** The live clock cannot stop: a step that fails is told of and left out, unless it was only not saved. */
function doLiveStep(account: Account, step: DueRow): void {
  try {
    account.workAt(LIVE_CLOCK, step.at, () => doStep(account, step));
  } catch (error) {
    if (error instanceof NotSavedError) throw error;
    console.error(`Cannot do ${step.step} of ${step.subject}, it is left out:`, error);
    account.work(null, () => account.tables.due.delete(step.id));
  }
}

/**
 * Does everything of a clock up to a time. Of one second's things, state changes come first, then
 * the webhooks that tell of them; while a handler works, its clock stands still.
 */
export async function runClock(account: Account, clock: string, until: number): Promise<void> {
  const { due, deliveries } = account.tables;
  for (;;) {
    const step = due.next(clock, until);
    const delivery = deliveries.next(clock, until);
    if (!step && !delivery) return;
    if (step && (!delivery || step.at <= delivery.at)) {
      if (clock === LIVE_CLOCK) doLiveStep(account, step);
      // A test clock never goes back.
      else account.workAt(clock, Math.max(step.at, account.timeOf(clock)), () => doStep(account, step));
    } else if (delivery) {
      if (clock !== LIVE_CLOCK && delivery.at > account.timeOf(clock))
        account.workAt(clock, delivery.at, () => undefined);
      await handOver(account, clock, delivery.at);
    }
  }
}

/** The clock waits for the handlers, which may therefore write: else none that writes could ever succeed. */
async function handOver(account: Account, clock: string, at: number): Promise<void> {
  account.waiting.add(clock);
  try {
    await deliverNext(account, clock, at);
  } finally {
    account.waiting.delete(clock);
  }
}

/**
 * Brings a test clock, which is already marked as advancing, to its target.
 * Should a step fail, the clock says `internal_failure`, as Stripe's does; one that was only not
 * saved leaves it advancing, to be tried again.
 */
export async function advanceClock(account: Account, clock: string): Promise<void> {
  const { testClocks } = account.tables;
  const target = testClocks.get(clock)?.status_details.advancing?.target_frozen_time;
  if (target === undefined) return;
  try {
    await runClock(account, clock, target);
    // Deleted by a handler in the meantime.
    if (!testClocks.get(clock)) return;
    account.workAt(clock, target, () => {
      const ready = testClocks.change(clock, { status: 'ready', status_details: {} });
      account.emit('test_helpers.test_clock.ready', ready);
    });
    await runClock(account, clock, target);
  } catch (error) {
    if (error instanceof NotSavedError) throw error;
    console.error(error);
    account.work(null, () => testClocks.change(clock, { status: 'internal_failure', status_details: {} }));
  }
}
