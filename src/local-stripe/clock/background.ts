/** Work that goes on after a call was answered: webhooks on their way, clocks that advance. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Account, LIVE_CLOCK } from '../state/account.js';
import { advanceClock, runClock } from './run-clock.js';

/** One piece of work at a time for each clock, so that a handler never sees its clock move. */
export class Background {
  readonly #work = new Map<string, Promise<void>>();

  constructor(private readonly account: Account) {}

  /** Starts what the state asks for: advances that are under way, webhooks that are due. */
  wake(): void {
    const { testClocks, deliveries } = this.account.tables;
    for (const { id, status } of testClocks.rows()) {
      if (status === 'advancing') this.#add(id, () => advanceClock(this.account, id));
      else if (deliveries.next(id, this.account.timeOf(id))) this.#add(id, () => this.#deliver(id));
    }
    if (deliveries.next(LIVE_CLOCK, this.account.now()))
      this.#add(LIVE_CLOCK, () => this.#deliver(LIVE_CLOCK));
  }

  /** Does all that the live clock has due, as {@link Background.settled} waits for it. */
  async tick(): Promise<void> {
    this.#add(LIVE_CLOCK, () => this.#deliver(LIVE_CLOCK));
    await this.settled();
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work.values());
  }

  /**
   * While work on a clock is under way it is asked for again at most once. Work that fails is tried
   * again with the next call, not at once: it would fail again.
   */
  #add(clock: string, work: () => Promise<void>): void {
    if (!this.#work.has(clock)) this.#work.set(clock, this.#run(clock, work));
  }

  async #run(clock: string, work: () => Promise<void>): Promise<void> {
    await nextTurn();
    try {
      await work();
    } catch (error) {
      console.error(error);
      return;
    } finally {
      this.#work.delete(clock);
    }
    this.wake();
  }

  async #deliver(clock: string): Promise<void> {
    if (this.account.tables.testClocks.get(clock) || clock === LIVE_CLOCK) {
      await runClock(this.account, clock, this.account.timeOf(clock));
    }
  }
}
