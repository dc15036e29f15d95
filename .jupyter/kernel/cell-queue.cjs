// Cells run one after the other, in the order of their arrival. When one fails and its request says so
// (`stop_on_error`), those that had arrived by then are aborted, and none that comes later. Stock tslab
// aborts whatever comes within 200 ms, so the cell after an expected error was silently not run.

/** Resolves when the event loop has looked for messages once. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

class CellQueue {
  #last = Promise.resolve();
  #arrived = 0;
  #abortedUpTo = 0;

  /**
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T | undefined>} what `run` gives, or `undefined` if the cell was aborted
   */
  add(run) {
    this.#arrived += 1;
    const place = this.#arrived;
    const result = this.#last.then(() => (place <= this.#abortedUpTo ? undefined : run()));
    // A failure belongs to whoever waits for this cell, the next cell runs all the same.
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Aborts all that has been sent so far, what still lies in the sockets included. */
  async abortWaiting() {
    let before;
    do {
      before = this.#arrived;
      await turn();
      await turn();
    } while (this.#arrived !== before);
    this.#abortedUpTo = this.#arrived;
  }
}

module.exports = { CellQueue, turn };
