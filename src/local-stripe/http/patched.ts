/** An object after a change of some of its fields. */
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

/** Metadata after a change. */
export function mergeMetadata(
  before: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string>> | null | undefined,
): Record<string, string> {
  if (change === null) return {};
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ''));
}
