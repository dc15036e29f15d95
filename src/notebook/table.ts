import { formatCell } from './format-cell.js';
import type { Frame } from './frame.js';
import { show } from './show.js';
import { tableHtml } from './table-html.js';
import { tableText } from './table-text.js';

/** How a table looks. */
export interface TableOptions {
  /** Keys to show, in this order, with their headings: `{ tenant: 'Tenant' }`. @default all keys, as they are */
  readonly columns?: { readonly [key: string]: string };
  /** A line above the table. */
  readonly caption?: string;
  /** Rows shown; the last line counts the others. @default 20 */
  readonly maxRows?: number;
}

/** A table made of text: what the HTML form and the plain form are both written from. */
export interface TableGrid {
  readonly caption: string | undefined;
  readonly columns: readonly { readonly heading: string; readonly right: boolean }[];
  readonly rows: readonly (readonly string[])[];
  /** The last line, e.g. `… and 32 more rows`. */
  readonly note: string | undefined;
}

/**
 * Shows rows, or a frame, as a table. Figures are right-aligned; numbers get thousands separators, exact
 * decimals in strings ("47.22999700") stay as they are; null is "–"; what looks like HTML stays text.
 *
 * @throws RangeError if `maxRows` is no positive whole number
 * @example
 * table([{ tenant: 'acme-corp', queries: 28450 }], { columns: { tenant: 'Tenant', queries: 'Queries' } });
 */
export function table(rows: readonly object[] | Frame, options: TableOptions = {}): void {
  const { columns, caption, maxRows = 20 } = options;
  if (!Number.isInteger(maxRows) || maxRows < 1) {
    throw new RangeError(`Cannot show a table with maxRows ${maxRows}: it must be a whole number from 1`);
  }
  const records = isFrame(rows) ? recordsOf(rows) : rows.map((row) => Object.entries(row));
  const grid = gridOf(records, columns, caption, maxRows);
  show({ 'text/html': tableHtml(grid), 'text/plain': tableText(grid) });
}

type Entries = readonly (readonly [key: string, value: unknown])[];

function gridOf(
  records: readonly Entries[],
  chosen: TableOptions['columns'],
  caption: string | undefined,
  max: number,
): TableGrid {
  const headings = new Map(
    chosen ? Object.entries(chosen) : records.flatMap((row) => row.map(([key]) => [key, key])),
  );
  const shown = records.slice(0, max).map((row) => {
    const values = new Map(row);
    return [...headings.keys()].map((key) => formatCell(values.get(key)));
  });
  const more = records.length - shown.length;
  return {
    caption,
    columns: [...headings.values()].map((heading, i) => {
      const votes = shown.map((row) => row[i]?.numeric ?? null).filter((vote) => vote !== null);
      return { heading, right: votes.length > 0 && votes.every(Boolean) };
    }),
    rows: shown.map((row) => row.map((cell) => cell.text)),
    note:
      records.length === 0
        ? 'no rows'
        : more > 0
          ? `… and ${formatCell(more).text} more row${more === 1 ? '' : 's'}`
          : undefined,
  };
}

function isFrame(rows: readonly object[] | Frame): rows is Frame {
  return !Array.isArray(rows);
}

/** A frame's rows; its labels come first where they say something, as after `describe()`. */
function recordsOf({ columns, index, values }: Frame): Entries[] {
  const labelled = index.some((label) => typeof label === 'string');
  return values.map((row, i) => [
    ...(labelled ? [['', index[i]] as const] : []),
    ...columns.map((name, j) => [name, row[j]] as const),
  ]);
}
