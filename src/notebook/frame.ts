import { createRequire } from 'node:module';

/**
 * A danfojs DataFrame as the course uses it: every method here is danfojs' own. The kit declares the few
 * that learners need, because danfojs' types would make the first cell wait.
 */
export interface Frame {
  readonly columns: readonly string[];
  /** Rows and columns. */
  readonly shape: readonly number[];
  /** Row labels: 0, 1, 2 …, or names after `describe()`. */
  readonly index: readonly (string | number)[];
  readonly values: readonly (readonly unknown[])[];
  column(name: string): Column;
  /** The first rows. @default 5 */
  head(rows?: number): Frame;
  /** Count, mean, std, min, median, max and variance of each numeric column. */
  describe(): Frame;
  /** The rows where the condition holds: `usage.query(usage.column('queries').gt(100))`. */
  query(condition: Column | readonly boolean[]): Frame;
  sortValues(column: string, options?: { readonly ascending?: boolean }): Frame;
  groupby(columns: readonly string[]): Groups;
}

/** One column; comparisons give a column of booleans for `query()`. */
export interface Column {
  readonly values: readonly unknown[];
  gt(value: number): Column;
  ge(value: number): Column;
  lt(value: number): Column;
  le(value: number): Column;
  eq(value: number | string): Column;
  ne(value: number | string): Column;
  and(other: Column): Column;
  or(other: Column): Column;
  sum(): number;
  mean(): number;
}

type Aggregate = 'sum' | 'mean' | 'count' | 'min' | 'max';

/** Rows in groups. The result's columns are named for what was done: `queries_sum`. */
export interface Groups {
  col(columns: readonly string[]): { readonly [name in Aggregate]: () => Frame };
  agg(plan: { readonly [column: string]: Aggregate | readonly Aggregate[] }): Frame;
}

/**
 * Rows as a danfojs frame, for counting and exploring: `groupby`, `describe`, `query`, `sortValues`. Show it
 * with `table(frame)`. The first call takes half a second, since danfojs is loaded then.
 *
 * Money does not belong in a frame: its numbers are floats. Exact decimals are strings and stay strings
 * here; danfojs refuses to add them up, where by itself it would turn them into floats.
 *
 * @throws RangeError if a bigint is too large to be an exact number
 * @example
 * const usage = await frame([{ tenant: 'acme-corp', queries: 10 }, { tenant: 'acme-corp', queries: 7 }]);
 * table(usage.groupby(['tenant']).col(['queries']).sum()); // acme-corp 17
 */
export async function frame(rows: readonly object[]): Promise<Frame> {
  const records = rows.map((row) => new Map<string, unknown>(Object.entries(row)));
  const columns = [...new Set(records.flatMap((record) => [...record.keys()]))];
  const dtypes = columns.map((name) => dtypeOf(records.map((record) => record.get(name))));
  const values = records.map((record) => columns.map((name, i) => numberFor(record.get(name), dtypes[i])));
  return new (loadDanfojs().DataFrame)(values, { columns, dtypes });
}

/**
 * Its mathjs comes from the one file that mathjs has for browsers, in 0.05 s. The several hundred that danfojs
 * asks for take 0.8 s, in which nothing else can run.
 */
function loadDanfojs(): Danfojs {
  const require = createRequire(import.meta.url);
  const inside = createRequire(require.resolve('danfojs-node'));
  inside(BUNDLE);
  inside.cache[inside.resolve('mathjs')] ??= inside.cache[inside.resolve(BUNDLE)];
  return require('danfojs-node') as Danfojs;
}

const BUNDLE = 'mathjs/lib/browser/math.js';

interface Danfojs {
  readonly DataFrame: new (values: unknown[][], options: { columns: string[]; dtypes: Dtype[] }) => Frame;
}

type Dtype = 'string' | 'boolean' | 'int32' | 'float32';

/** Told to danfojs, which guesses that "47.22999700" is a float. Its numbers are JavaScript's in any case. */
function dtypeOf(values: readonly unknown[]): Dtype {
  const present = values.filter((value) => value !== null && value !== undefined);
  if (present.every((value) => typeof value === 'boolean')) return 'boolean';
  if (present.every((value) => typeof value === 'bigint' || Number.isInteger(value))) return 'int32';
  return present.every((value) => typeof value === 'number' || typeof value === 'bigint')
    ? 'float32'
    : 'string';
}

/** danfojs knows no bigint, and a missing number is NaN to it. */
function numberFor(value: unknown, dtype: Dtype | undefined): unknown {
  if (typeof value === 'bigint') {
    if (!Number.isSafeInteger(Number(value))) {
      throw new RangeError(`Cannot put ${value} in a frame: it is too large for an exact number`);
    }
    return Number(value);
  }
  const missing = value === null || value === undefined;
  return missing && (dtype === 'int32' || dtype === 'float32') ? Number.NaN : value;
}
