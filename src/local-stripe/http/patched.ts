/** An object after a change of some of its fields. */
import { invalid } from './api-error.js';

const MOST_KEYS = 50;

type Metadata = Readonly<Record<string, string>>;

/** Parameters named like the fields that they change. */
export type Patch<R> = {
  readonly [Name in Exclude<keyof R, 'metadata'>]?: R[Name] | undefined;
} & { readonly metadata?: Metadata | null | undefined };

/**
 * Fields that are not given stay; of metadata the keys that are not.
 *
 * @example patched({ name: 'a', metadata: { x: '1' } }, { metadata: { y: '2' } }).metadata // { x: '1', y: '2' }
 */
export function patched<R extends { readonly metadata?: Metadata | null }>(row: R, patch: Patch<R>): R {
  const { metadata, ...fields } = patch;
  return { ...row, ...defined(fields), metadata: mergeMetadata(row.metadata ?? {}, metadata) };
}

/** The fields that are given. */
export function defined<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof defined<T>
  >;
}

/** Metadata after a change. @throws ApiError 400 for more than 50 keys. */
export function mergeMetadata(before: Metadata, change: Metadata | null | undefined): Record<string, string> {
  if (change === null) return {};
  const pairs = Object.entries({ ...before, ...change }).filter(([, value]) => value !== '');
  if (pairs.length > MOST_KEYS) throw invalid(`Metadata can have at most ${MOST_KEYS} keys.`, 'metadata');
  return Object.fromEntries(pairs);
}
