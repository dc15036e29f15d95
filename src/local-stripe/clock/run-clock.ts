/** Lets time pass: does what a clock has due, in order, and hands over webhooks in between. */
import { deliverNext } from '../events/deliver.js';
import { type Account, LIVE_CLOCK } from '../state/account.js';
import { doStep } from './do-step.js';

/**
 * Does the steps of the live clock that have come due, without waiting for webhooks: a call must
 * find the state of its time.
 */
export function catchUp(account: Account): void {
  const until = account.now();
  const { due } = account.tables;
  for (let step = due.next(LIVE_CLOCK, until); step; step = due.next(LIVE_CLOCK, until)) {
    const { at } = step;
    account.workAt(LIVE_CLOCK, at, () => doStep(account, step));
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
      account.workAt(clock, Math.max(step.at, startOf(account, clock)), () => doStep(account, step));
    } else if (delivery) {
      if (clock !== LIVE_CLOCK && delivery.at > account.timeOf(clock))
        account.workAt(clock, delivery.at, () => undefined);
      await deliverNext(account, clock, delivery.at);
    }
  }
}

/** A test clock never goes back; a live step is done as of its own time. */
function startOf(account: Account, clock: string): number {
  return clock === LIVE_CLOCK ? 0 : account.timeOf(clock);
}

/**
 * Brings a test clock, which is already marked as advancing, to its target.
 * Should a step fail, the clock says `internal_failure`, as Stripe's does.
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
      account.emit('test_helpers.test_clock.ready', ready, { clock });
    });
    await runClock(account, clock, target);
  } catch (error) {
    console.error(error);
    account.work(null, () => testClocks.change(clock, { status: 'internal_failure', status_details: {} }));
  }
}
