/** Who is told when something needs a person: printed, or posted to a webhook. */

export interface Notice {
  /** What it is about, e.g. `quota` or `fallback`. */
  readonly topic: string;
  readonly tenantId?: string;
  /** One sentence. */
  readonly text: string;
  /** The same for the same message: a receiver that has seen it drops the second. */
  readonly id?: string;
}

export interface Notifier {
  notify(notice: Notice): Promise<void>;
}

/** Prints each notice on a line. */
export const consoleNotifier: Notifier = {
  notify: async ({ topic, tenantId, text }) =>
    console.log(`[${topic}] ${tenantId ? `${tenantId}: ` : ''}${text}`),
};

/**
 * Posts each notice as JSON.
 *
 * @param timeoutMs longest wait for an answer
 * @throws from `notify()`: Error when the receiver does not answer with success
 * @example await webhookNotifier('https://hooks.example/billing').notify({ topic: 'quota', text: 'nearly full' });
 */
export function webhookNotifier(url: string, { timeoutMs = 5_000 }: { timeoutMs?: number } = {}): Notifier {
  return {
    async notify(notice) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(notice),
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`Cannot notify: the webhook answered ${response.status}`);
    },
  };
}
