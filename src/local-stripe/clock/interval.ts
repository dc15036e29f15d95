/** Billing periods: counted from an anchor, in UTC. */

export interface Interval {
  /** `day`, `week`, `month` or `year` */
  readonly interval: string;
  readonly interval_count: number;
}

const DAY = 86_400;

/**
 * The end of the n-th interval after an anchor. Months keep the anchor's day where they have it:
 * from 31 January follow 28 February and 31 March.
 *
 * @param anchor Unix seconds
 */
export function addIntervals(
  anchor: number,
  { interval, interval_count: count }: Interval,
  n: number,
): number {
  if (interval === 'day' || interval === 'week') {
    return anchor + n * count * (interval === 'week' ? 7 * DAY : DAY);
  }
  const date = new Date(anchor * 1_000);
  const month = date.getUTCMonth() + n * count * (interval === 'year' ? 12 : 1);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const midnight = Date.UTC(date.getUTCFullYear(), month, Math.min(date.getUTCDate(), lastDay));
  return midnight / 1_000 + (anchor % DAY);
}

/** The whole period around a time: the last boundary at or before it, and the first after it. */
export function periodAround(
  anchor: number,
  interval: Interval,
  time: number,
): { start: number; end: number } {
  const length = addIntervals(anchor, interval, 1) - anchor;
  let n = Math.floor((time - anchor) / length) - 1;
  while (addIntervals(anchor, interval, n + 1) <= time) n += 1;
  while (addIntervals(anchor, interval, n) > time) n -= 1;
  return { start: addIntervals(anchor, interval, n), end: addIntervals(anchor, interval, n + 1) };
}
