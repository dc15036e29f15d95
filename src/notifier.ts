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

/** What a tenant is told once for good: `about` and `topic` together make it what it is. */
export interface OnceNotice extends Required<Pick<Notice, 'tenantId' | 'topic' | 'text'>> {
  /** Id of what it is about, e.g. of a subscription. */
  readonly about: string;
}

export interface Notifier {
  notify(notice: Notice): Promise<void>;
}

/** Prints each notice on a line. */
export const consoleNotifier: Notifier = {
  notify: async ({ topic, tenantId, text }) =>
    console.log(`[${topic}] ${tenantId ? `${tenantId}: ` : ''}${text}`),
};

/** Longest wait for an answer. */
const TIMEOUT_MS = 5_000;

/**
 * Posts each notice as JSON.
 *
 * @throws from `notify()`: Error when the receiver does not answer with success
 * @example await webhookNotifier('https://hooks.example/billing').notify({ topic: 'quota', text: 'nearly full' });
 */
export function webhookNotifier(url: string): Notifier {
  return {
    async notify(notice) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(notice),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`Cannot notify: the webhook answered ${response.status}`);
    },
  };
}
