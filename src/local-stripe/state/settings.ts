/** What Stripe's dashboard sets for an account, checked when it is opened. */

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

const DEFAULTS: AccountSettings = {
  retryDays: [3, 7, 14],
  endOfRetries: 'canceled',
  usageGraceHours: 1,
  clockLimits: true,
  searchLagSeconds: 60,
};

const MOST_GRACE_HOURS = 72;

/** What each setting must be, in words and as a test. */
const RULES: { readonly [Name in keyof AccountSettings]: readonly [string, (value: unknown) => boolean] } = {
  retryDays: ['whole days that rise', (value) => Array.isArray(value) && value.every(isLaterDay)],
  endOfRetries: [
    'canceled, unpaid or past_due',
    (value) => ['canceled', 'unpaid', 'past_due'].includes(value as string),
  ],
  usageGraceHours: [
    `1 to ${MOST_GRACE_HOURS} whole hours`,
    (value) => isWhole(value) && value >= 1 && value <= MOST_GRACE_HOURS,
  ],
  clockLimits: ['true or false', (value) => typeof value === 'boolean'],
  searchLagSeconds: ['whole seconds, 0 or more', (value) => isWhole(value) && value >= 0],
};

/**
 * The settings among some options, or their defaults.
 *
 * @param known names of the options that are no settings
 * @throws RangeError naming the option and its value.
 */
export function settingsOf(options: Partial<AccountSettings>, known: readonly string[]): AccountSettings {
  const names = Object.keys(RULES);
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name) && !known.includes(name)) throw wrong(name, 'is not an option', value);
  }
  const given = Object.entries(options).filter(
    ([name, value]) => names.includes(name) && value !== undefined,
  );
  for (const [name, value] of given) {
    const [words, fits] = RULES[name as keyof AccountSettings];
    if (!fits(value)) throw wrong(name, `must be ${words}`, value);
  }
  return { ...DEFAULTS, ...(Object.fromEntries(given) as Partial<AccountSettings>) };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isLaterDay(day: unknown, index: number, days: readonly unknown[]): boolean {
  return isWhole(day) && day > Number(days[index - 1] ?? 0);
}

function wrong(name: string, what: string, value: unknown): RangeError {
  const shown =
    typeof value === 'string' ? `'${value}'` : Array.isArray(value) ? value.join(', ') : String(value);
  return new RangeError(`Cannot open a local Stripe: ${name} ${what}, current value is ${shown}`);
}
