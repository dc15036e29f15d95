// A cell that has shown nothing for a while looks as if it hung. It says how long it has been running, until
// something is shown: the line goes with the first output, or with the cell, so that no notebook keeps it.
const { randomUUID } = require('node:crypto');

const TELL_MS = 1000;

class StillRunning {
  #publish;
  #timer;
  #request;
  #isTold = false;

  /** @param {(type: string, content: object, request: object) => void} publish */
  constructor(publish) {
    this.#publish = publish;
  }

  /** @param {object} request the message whose cell begins */
  begin(request) {
    const began = performance.now();
    const transient = { display_id: randomUUID() };
    this.#request = request;
    this.#timer = setInterval(() => {
      const text = `… running, ${Math.round((performance.now() - began) / 1000)} s`;
      const type = this.#isTold ? 'update_display_data' : 'display_data';
      this.#publish(type, { data: { 'text/plain': text }, metadata: {}, transient }, request);
      this.#isTold = true;
    }, TELL_MS);
  }

  /** To be called before the cell's outputs: the first one takes the line's place. */
  giveWay() {
    this.#stop(true);
  }

  end() {
    this.#stop(false);
  }

  #stop(wait) {
    clearInterval(this.#timer);
    if (this.#isTold) this.#publish('clear_output', { wait }, this.#request);
    this.#isTold = false;
  }
}

module.exports = { StillRunning };
