/**
 * Months and days in UTC, whatever the time zone of the machine. Periods are half-open:
 * the start belongs to the period, the end to the next one.
 */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** How long after its end a month still takes events; then its invoice is issued. */
export const GRACE_MS = 72 * HOUR_MS;

/** A half-open span of time. */
export interface Period {
  readonly start: Date;
  /** The first instant that no longer belongs to the period. */
  readonly end: Date;
}

/** A calendar month in UTC. */
export interface Month extends Period {
  /** e.g. `2025-11` */
  readonly name: string;
  /** The last day, which an invoice carries as its date, e.g. `2025-11-30`. */
  readonly lastDay: string;
}

/**
 * The month of a name such as `2025-11`.
 *
 * @throws RangeError when the name is not a month of the years 2000 to 2199.
 * @example parseMonth('2024-02').lastDay // '2024-02-29'
 */
export function parseMonth(name: string): Month {
  const [, year, month] = /^(2[01]\d\d)-(0[1-9]|1[0-2])$/.exec(name) ?? [];
  if (year === undefined || month === undefined) {
    throw new RangeError(
      `Cannot read month: need the form 2025-11, current value is ${JSON.stringify(name)}`,
    );
  }
  const start = new Date(Date.UTC(Number(year), Number(month) - 1, 1));
  const end = new Date(Date.UTC(Number(year), Number(month), 1));
  return { name, start, end, lastDay: dayOf(new Date(end.getTime() - 1)) };
}

/**
 * The month that holds an instant.
 *
 * @throws RangeError when the instant is no valid date.
 * @example monthOf(new Date('2025-11-30T23:59:59.999Z')).name // '2025-11'
 */
export function monthOf(instant: Date): Month {
  return parseMonth(dayOf(instant).slice(0, 7));
}

/**
 * The month before the one that holds an instant: what is invoiced on the 1st.
 *
 * @example previousMonth(new Date('2025-12-01T00:00:00Z')).name // '2025-11'
 */
export function previousMonth(instant: Date): Month {
  return monthOf(new Date(monthOf(instant).start.getTime() - 1));
}

/**
 * When a month's invoice is issued: events accepted before belong to it.
 *
 * @example closingOf(parseMonth('2025-11')) // 2025-12-04T00:00:00.000Z
 */
export const closingOf = ({ end }: Period): Date => new Date(end.getTime() + GRACE_MS);

/**
 * The UTC day of an instant, e.g. `2025-11-30`.
 *
 * @throws RangeError when the instant is no valid date.
 * @example dayOf(new Date('2025-11-30T23:59:59.999Z')) // '2025-11-30'
 */
export function dayOf(instant: Date): string {
  if (Number.isNaN(instant.getTime())) {
    throw new RangeError('Cannot tell the day: the date is invalid');
  }
  return instant.toISOString().slice(0, 10);
}

/**
 * The UTC day of a name such as `2025-11-30`.
 *
 * @throws RangeError when the name is not a day of the calendar.
 * @example parseDay('2025-02-28').end // 2025-03-01T00:00:00.000Z
 */
export function parseDay(name: string): Period {
  const start = new Date(`${name}T00:00:00Z`);
  // The round trip refuses 2025-02-30, which Date would move into March.
  if (!/^2[01]\d\d-\d\d-\d\d$/.test(name) || Number.isNaN(start.getTime()) || dayOf(start) !== name) {
    throw new RangeError(
      `Cannot read day: need the form 2025-11-30, current value is ${JSON.stringify(name)}`,
    );
  }
  return { start, end: new Date(start.getTime() + DAY_MS) };
}
