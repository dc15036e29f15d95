import { randomUUID } from 'node:crypto';
import { kernelDisplay } from './show.js';

/** Tells how far a long cell is. */
export interface Progress {
  /** `done` of `total` are done. */
  (done: number): void;
  /** Ends it with its last line. @default `<label>: <total>` */
  done(text?: string): void;
}

/**
 * One line that counts up in a long cell. What the notebook keeps is the last line alone: each line replaces
 * the one before. Outside a kernel only the last line is printed.
 *
 * @throws RangeError if `total` is no positive number
 * @example
 * const report = progress('Loading events', 1_000_000);
 * report(250_000); // Loading events: 250,000 of 1,000,000 (25 %)
 * report.done('Loaded 1,000,000 events');
 */
export function progress(label: string, total: number): Progress {
  if (!(total > 0)) throw new RangeError(`Cannot show progress of ${total}: total must be above 0`);
  const write = updatingLine();
  let percent = -1;
  const report = (done: number): void => {
    const now = Math.floor((100 * done) / total);
    if (now === percent) return; // at most a hundred messages, however often it is called
    percent = now;
    write(`${label}: ${count(done)} of ${count(total)} (${now} %)`, false);
  };
  return Object.assign(report, { done: (text = `${label}: ${count(total)}`) => write(text, true) });
}

function updatingLine(): (text: string, last: boolean) => void {
  const send = kernelDisplay();
  if (!send) {
    return (text, last) => {
      if (last) console.log(text);
    };
  }
  const transient = { display_id: randomUUID() }; // not kept in the notebook
  let shown = false;
  return (text) => {
    send({ data: { 'text/plain': text }, metadata: {}, transient }, shown);
    shown = true;
  };
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
