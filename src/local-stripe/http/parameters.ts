/** The kinds of parameters, each a schema that reads what is on the wire: in v1 everything is text. */
import { z } from 'zod';

/** Stripe's largest amount, eight digits of cents. */
export const MOST_CENTS = 99_999_999;
/** The year 2200. */
const LATEST = 7_258_118_400;

export const text = (most = 5_000) => z.string().min(1).max(most);

export const id = text(255);

/** A whole number. */
export const integer = (least: number, most: number) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, 'Invalid integer')
    .transform(Number)
    .pipe(z.number().min(least).max(most));

export const cents = integer(-MOST_CENTS, MOST_CENTS);

/** Unix seconds. */
export const timestamp = integer(0, LATEST);

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** A decimal of at most twelve places, kept as text. */
export const decimal = z.string().regex(/^-?\d{1,15}(\.\d{1,12})?$/, 'Invalid decimal');

export const choice = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z.enum(values);

/** A parameter that an empty string sets back to nothing. */
export const clearable = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? null : value), schema.nullable());

/** A list, whose places are keys on the wire: `items[0]`, `items[1]`. */
export const list = <Schema extends z.ZodType>(schema: Schema, most = 100) =>
  z.preprocess(listOf, z.array(schema).max(most));

function listOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const inOrder = entries.every(([key], index) => key === String(index));
  return inOrder ? entries.map(([, entry]) => entry) : value;
}

/** An empty value removes its key, an empty string for all of them removes all. */
export const metadata = clearable(z.record(z.string().min(1).max(40), z.string().max(500)));

/** A filter of times: one, or bounds. */
export const times = z.union([
  timestamp,
  z.strictObject({
    gt: timestamp.optional(),
    gte: timestamp.optional(),
    lt: timestamp.optional(),
    lte: timestamp.optional(),
  }),
]);

/** Whether a time passes a filter. */
export function isWithin(time: number, filter: z.output<typeof times> | undefined): boolean {
  if (filter === undefined) return true;
  if (typeof filter === 'number') return time === filter;
  const { gt = -1, gte = 0, lt = Infinity, lte = Infinity } = filter;
  return time > gt && time >= gte && time < lt && time <= lte;
}

/** What every list takes. */
export const paging = {
  limit: integer(1, 100).default(10),
  starting_after: id.optional(),
  ending_before: id.optional(),
};
