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

/**
 * Fields that are always null here: what they describe is not part of the local Stripe.
 *
 * @example { ...nulls('application', 'schedule') } // { application: null, schedule: null }
 */
export function nulls<Key extends string>(...keys: readonly Key[]): { readonly [K in Key]: null } {
  return Object.fromEntries(keys.map((key) => [key, null])) as { readonly [K in Key]: null };
}
