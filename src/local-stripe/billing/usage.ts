/** Usage of a customer in a span of time: meter events added up as their meter says. */
import { ONE, parseDecimal } from '../money/decimal.js';
import type { MeterEventRow, UsageSegment } from '../state/rows.js';
import type { Meter } from '../state/tables.js';

/** Seconds of a meter's window. */
export function windowOf(name: string): number {
  return name === 'day' ? 86_400 : 3_600;
}

/**
 * With a window (`day`, `hour`, in UTC) the event that came last speaks for its whole window; then
 * the formula adds up what lies in the span. Events count by their timestamps.
 *
 * @param events of one customer, in the order of their coming
 * @returns units of 1e-12; below 0 when corrections outweigh usage
 */
export function usageOf(
  meter: Pick<Meter, 'default_aggregation' | 'event_time_window'>,
  events: readonly MeterEventRow[],
  { from, to, isLast = false, item }: Omit<UsageSegment, 'item' | 'price'> & { item?: string },
): bigint {
  const inSpan = ({ timestamp: at, closedBy = item }: MeterEventRow) =>
    from <= at &&
    (at < to || (isLast && at === to)) &&
    (at > from || item === undefined || closedBy === item);
  const counted = latestOfWindows(events, meter.event_time_window).filter(inSpan);
  switch (meter.default_aggregation.formula) {
    case 'count':
      return BigInt(counted.length) * ONE;
    case 'last': {
      const [last] = counted.reverse().sort((one, other) => other.timestamp - one.timestamp);
      return last ? parseDecimal(last.value) : 0n;
    }
    default:
      return counted.reduce((sum, { value }) => sum + parseDecimal(value), 0n);
  }
}

function latestOfWindows(events: readonly MeterEventRow[], window: string | null): readonly MeterEventRow[] {
  if (!window) return events;
  const latest = new Map<number, MeterEventRow>();
  for (const event of events) latest.set(Math.floor(event.timestamp / windowOf(window)), event);
  return [...latest.values()];
}
