/** What Stripe's dashboard sets for an account, checked when it is opened. */
import { z } from 'zod';

export interface AccountSettings {
  /** Days after the first failure on which a payment is tried again. @default [3, 7, 14] */
  readonly retryDays: readonly number[];
  /** What becomes of a subscription after the last failure. @default 'canceled' */
  readonly endOfRetries: 'unpaid' | 'canceled' | 'past_due';
  /** Hours from a renewal to its invoice's finalization if it bills usage, 1 to 72. @default 1 */
  readonly usageGraceHours: number;
  /** Stripe's limits of test clocks; without them a clock takes any number of customers. @default true */
  readonly clockLimits: boolean;
  /** Seconds for which customer search does not see a change. @default 60 */
  readonly searchLagSeconds: number;
}

const whole = (least: number, most: number, words: string) => z.int(words).min(least, words).max(most, words);

const settings = z.strictObject(
  {
    retryDays: z.custom<readonly number[]>(areRisingDays, 'must be whole days that rise').default([3, 7, 14]),
    endOfRetries: z
      .enum(['canceled', 'unpaid', 'past_due'], 'must be canceled, unpaid or past_due')
      .default('canceled'),
    usageGraceHours: whole(1, 72, 'must be 1 to 72 whole hours').default(1),
    clockLimits: z.boolean('must be true or false').default(true),
    searchLagSeconds: whole(0, Number.MAX_SAFE_INTEGER, 'must be whole seconds, 0 or more').default(60),
  },
  'is not an option',
);

/**
 * The settings that are given, and the defaults of the others.
 *
 * @throws RangeError naming the option and its value.
 */
export function settingsOf(given: Partial<AccountSettings>): AccountSettings {
  const { data, error } = settings.safeParse(given);
  if (data) return data;
  const [issue] = error.issues as [z.core.$ZodIssue];
  const name = String(issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path[0]);
  const value: unknown = given[name as keyof AccountSettings];
  const shown =
    typeof value === 'string' ? `'${value}'` : Array.isArray(value) ? value.join(', ') : String(value);
  throw new RangeError(`Cannot open a local Stripe: ${name} ${issue.message}, current value is ${shown}`);
}

function areRisingDays(days: unknown): boolean {
  if (!Array.isArray(days)) return false;
  return days.every((day, index) => Number.isSafeInteger(day) && day > (days[index - 1] ?? 0));
}
