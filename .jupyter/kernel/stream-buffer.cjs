// What a cell writes in one turn of the event loop leaves in few messages: a loop that prints a thousand lines
// would be a thousand, and as many steps for Jupyter.

/** A cell that computes without a pause is seen to go on. */
const LONGEST_WAIT_MS = 50;

class StreamBuffer {
  #pending;
  #send;
  #sentAt = 0;
  #lastRequest;

  /** @param {(name: 'stdout' | 'stderr', text: string, request: object) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {object} request the message whose cell wrote it */
  write(name, text, request) {
    if (this.#pending?.name !== name || this.#pending.request !== request) {
      this.flush();
      this.#pending = { name, text: '', request };
      setImmediate(() => this.flush());
    }
    this.#pending.text += text;
    // The first of a cell at once: it may compute from then on, and the turn never end.
    const isFirst = this.#lastRequest !== request;
    this.#lastRequest = request;
    if (isFirst || performance.now() - this.#sentAt > LONGEST_WAIT_MS) this.flush();
  }

  /** To be called before anything else is sent, so that the order stays. */
  flush() {
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    this.#sentAt = performance.now();
    this.#send(pending.name, pending.text, pending.request);
  }
}

module.exports = { StreamBuffer };
