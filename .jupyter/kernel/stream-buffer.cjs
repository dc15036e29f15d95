// What a cell writes in one turn of the event loop leaves as one message for each stretch of stdout or stderr:
// a loop that prints a thousand lines is a thousand messages otherwise, and as many steps for Jupyter.

class StreamBuffer {
  #pending;
  #send;

  /** @param {(name: 'stdout' | 'stderr', text: string, request: object) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {object} request the message whose cell wrote it */
  write(name, text, request) {
    const pending = this.#pending;
    if (pending?.name === name && pending.request === request) {
      pending.text += text;
      return;
    }
    this.flush();
    this.#pending = { name, text, request };
    setImmediate(() => this.flush());
  }

  /** To be called before anything else is sent, so that the order stays. */
  flush() {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) this.#send(pending.name, pending.text, pending.request);
  }
}

module.exports = { StreamBuffer };
