/**
 * Messages by way of the ledger: written down before they are sent and marked afterwards. A process
 * that is killed before the mark leaves its message to the next one, which sends it under the same id.
 * So none is lost, and one that was sent just before the kill comes twice with an id to drop it by.
 */
import type { Notifier } from '../notifier.js';
import type { DunningLedger, DunningRecord } from './dunning-ledger.js';
import { isStep } from './records.js';

/** What a person here has to do: the tenant is not told, but named. */
const FOR_US: readonly string[] = ['dispute_created'];

export class Outbox {
  readonly #options: { ledger: DunningLedger; notifier: Notifier; now: () => Date };

  constructor(options: { ledger: DunningLedger; notifier: Notifier; now: () => Date }) {
    this.#options = options;
  }

  /** Writes down what is done to a tenant, and adds it to its records; what has no text is silent. */
  async write(
    records: DunningRecord[],
    steps: readonly Pick<DunningRecord, 'tenantId' | 'about' | 'action' | 'text' | 'standing'>[],
  ): Promise<void> {
    const { ledger, now } = this.#options;
    const next = (records.at(-1)?.number ?? 0) + 1;
    const added = steps.map((step, index) => {
      return { ...step, number: next + index, at: now(), told: step.text === '' };
    });
    await ledger.keep(added);
    records.push(...added);
  }

  /**
   * Sends what waits of a tenant's records, in their order. Of several steps of the ladder, because days were
   * missed or the mail was down, the last alone is told: it says how things are.
   */
  async send(records: readonly DunningRecord[]): Promise<void> {
    const { ledger, notifier } = this.#options;
    const waiting = records.filter(({ told }) => !told);
    const last = waiting.filter(isStep).at(-1);
    const passed = waiting.filter((record) => isStep(record) && record !== last);
    await ledger.keep(passed.map((record) => ({ ...record, text: '', told: true })));
    for (const record of waiting.filter((record) => !passed.includes(record))) {
      const { tenantId, number, action: topic, text } = record;
      const to = FOR_US.includes(topic) ? { text: `${tenantId}: ${text}` } : { tenantId, text };
      await notifier.notify({ id: `${tenantId}:${number}:${topic}`, topic, ...to });
      // Each by itself: a kill between the two repeats one message at most.
      await ledger.keep([{ ...record, told: true }]);
    }
  }
}
