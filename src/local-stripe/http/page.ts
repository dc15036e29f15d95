/** Lists with cursors. */
import { invalid } from './api-error.js';

interface Cursor {
  readonly limit: number;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
}

/** @param rows in the order of the list, newest first */
export function pageOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  { limit, starting_after: after, ending_before: before }: Cursor,
  url: string,
) {
  let [from, to] = [0, rows.length];
  if (after !== undefined) from = placeOf(rows, after, 'starting_after') + 1;
  if (before !== undefined) to = placeOf(rows, before, 'ending_before');
  // Going back, the page ends where the cursor stands.
  const backwards = before !== undefined && after === undefined;
  const start = backwards ? Math.max(from, to - limit) : from;
  const data = rows.slice(start, Math.min(to, start + limit));
  return {
    object: 'list' as const,
    data,
    has_more: backwards ? start > from : start + data.length < to,
    url,
  };
}

function placeOf(rows: readonly { readonly id: string }[], id: string, param: string): number {
  const place = rows.findIndex((row) => row.id === id);
  if (place >= 0) return place;
  throw invalid(`No such object: '${id}'`, param, 'resource_missing');
}
