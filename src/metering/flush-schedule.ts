/** When a flush happens: at once, or after the interval; one at a time. */

/** @example const schedule = new FlushSchedule(1_000, () => drain()); await schedule.now(); */
export class FlushSchedule {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  /** @param work what a flush does; it never rejects */
  constructor(
    readonly intervalMs: number,
    readonly work: () => Promise<void>,
  ) {}

  /** After the interval, counted from the first call. @param keepsAlive whether the process waits for it */
  later({ keepsAlive }: { keepsAlive: boolean }): void {
    this.#timer ??= setTimeout(() => void this.now(), this.intervalMs);
    if (keepsAlive) this.#timer.ref();
    else this.#timer.unref();
  }

  /** Calls that come while one waits for its turn share it. */
  now(): Promise<void> {
    this.stop();
    this.#next ??= this.#running.then(async () => {
      this.#next = undefined;
      await this.work();
    });
    this.#running = this.#next;
    return this.#running;
  }

  /** Ends the timer. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
