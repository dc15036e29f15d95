/** What Stripe's dashboard sets for an account, checked when it is opened. */
import { z } from 'zod';

const WHOLE_HOURS = 'must be 1 to 72 whole hours';
const WHOLE_SECONDS = 'must be whole seconds, 0 or more';

const settings = z.strictObject(
  {
    /** Days after the first failure on which a payment is tried again. @default [3, 7, 14] */
    retryDays: z.custom<readonly number[]>(areRisingDays, 'must be whole days that rise').default([3, 7, 14]),
    /** What becomes of a subscription after the last failure. @default 'canceled' */
    endOfRetries: z
      .enum(['canceled', 'unpaid', 'past_due'], 'must be canceled, unpaid or past_due')
      .default('canceled'),
    /** Hours from a renewal to its invoice's finalization if it bills usage, 1 to 72. @default 1 */
    usageGraceHours: z.int(WHOLE_HOURS).min(1, WHOLE_HOURS).max(72, WHOLE_HOURS).default(1),
    /** Stripe's limits of test clocks; without them a clock takes any number of customers. @default true */
    clockLimits: z.boolean('must be true or false').default(true),
    /** Seconds for which customer search does not see a change. @default 60 */
    searchLagSeconds: z.int(WHOLE_SECONDS).min(0, WHOLE_SECONDS).default(60),
  },
  'is not an option',
);

export type AccountSettings = Readonly<z.output<typeof settings>>;

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
