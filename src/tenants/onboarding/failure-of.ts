/** What a failed step says for good: a code, since messages repeat what was sent, and that may be personal. */

export interface StepFailure {
  /** e.g. `insufficient_funds` */
  readonly reason: string;
  /** Whether another try would end alike. */
  readonly isFinal: boolean;
}

/** Stripe's errors that another try does not change. */
const FINAL: readonly unknown[] = ['StripeCardError', 'StripeInvalidRequestError'];

/** @example failureOf(cardError) // { reason: 'insufficient_funds', isFinal: true } */
export function failureOf(error: unknown): StepFailure {
  const { decline_code, code, name, type, cause } = Object(error) as Record<string, unknown>;
  const causeCode = (Object(cause) as Record<string, unknown>).code;
  const words = [decline_code, code, causeCode, name === 'Error' ? 'service_failed' : name].filter(
    (word) => typeof word === 'string' && /^\w[\w.-]{0,59}$/.test(word),
  );
  return {
    reason: String(words[0] ?? 'unknown'),
    isFinal: FINAL.includes(type) || name === 'StepRefusedError',
  };
}
