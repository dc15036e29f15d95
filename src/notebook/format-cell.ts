import { inspect, types } from 'node:util';

/** A value as a table shows it. */
export interface Cell {
  readonly text: string;
  /** Figures stand right-aligned; null where the value says nothing about its column. */
  readonly numeric: boolean | null;
}

/** Exact decimals and counts, which ClickHouse gives as text: they are shown as they came. */
const DECIMAL = /^[+-]?\d+(\.\d+)?$/;
/** Characters that move the cursor or turn the direction of a line: a tenant's name may carry them. */
const CONTROL = /[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu;

/** The text of one cell. Reach for it where text beside a table has to look like the table. */
export function formatCell(value: unknown): Cell {
  if (value === null || value === undefined) return { text: '–', numeric: null };
  if (typeof value === 'bigint') return { text: value.toLocaleString('en-US'), numeric: true };
  if (typeof value === 'number') return { text: formatNumber(value), numeric: true };
  if (typeof value === 'boolean') return { text: value ? '✓' : '✗', numeric: false };
  if (types.isDate(value)) return { text: value.toISOString().replace('.000Z', 'Z'), numeric: false };
  const text = (typeof value === 'string' ? value : inspect(value, { breakLength: Infinity })).replace(
    CONTROL,
    ' ',
  );
  return { text, numeric: DECIMAL.test(text) };
}

/** Whole numbers in full; four decimals, or four figures of a small number: enough to compare by eye. */
function formatNumber(value: number): string {
  const precision = Math.abs(value) < 1 ? { maximumSignificantDigits: 4 } : { maximumFractionDigits: 4 };
  return value.toLocaleString('en-US', precision);
}
