/** What `previous_attributes` of an event says. */
import { isDeepStrictEqual } from 'node:util';

/**
 * The old values of the fields that changed; of metadata only the keys that did.
 *
 * @example changedAttributes({ a: 1, b: 2 }, { a: 1, b: 3 }) // { b: 2 }
 */
export function changedAttributes(before: object, after: object): object {
  const [old, now] = [before, after] as Record<string, unknown>[];
  const changed = Object.keys({ ...old, ...now })
    .filter((key) => old?.[key] !== now?.[key] && !isDeepStrictEqual(old?.[key], now?.[key]))
    .map((key) => [
      key,
      key === 'metadata'
        ? changedAttributes(old?.[key] as object, now?.[key] as object)
        : (old?.[key] ?? null),
    ]);
  return Object.fromEntries(changed);
}
