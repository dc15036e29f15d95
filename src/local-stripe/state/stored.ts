/** The shape in which Stripe's objects are kept here, which is the one in which they travel. */
import type Stripe from 'stripe';

/**
 * An object of the SDK as it is on the wire: decimals are text, references are ids, and nothing in
 * it is ever changed in place. The compiler finds a field that is missing.
 *
 * @example const price: Stored<Stripe.Price>; price.unit_amount_decimal // string | null
 */
export type Stored<T> = string extends T ? Exclude<T, object> : StoredValue<T>;

type StoredValue<T> = T extends Stripe.Decimal
  ? string
  : T extends readonly (infer Element)[]
    ? readonly Stored<Element>[]
    : T extends object
      ? { readonly [Key in keyof T]: Stored<T[Key]> }
      : T;

/** The words of a text with blanks between them. */
type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text;

/**
 * Fields that all have one value, mostly since what they describe is not part of the local Stripe.
 *
 * @example filled('attempt_count amount_paid', 0) // { attempt_count: 0, amount_paid: 0 }
 */
export function filled<const Names extends string, const Value>(
  names: Names,
  value: Value,
): { readonly [Name in Words<Names>]: Value } {
  return Object.fromEntries(names.split(' ').map((name) => [name, value])) as {
    [Name in Words<Names>]: Value;
  };
}

/** @example nulls('application schedule') // { application: null, schedule: null } */
export function nulls<const Names extends string>(names: Names): { readonly [Name in Words<Names>]: null } {
  return filled(names, null);
}
