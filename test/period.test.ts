import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dayOf, monthOf, parseDay, parseMonth, previousMonth } from '../src/period.js';
import { runNodeProgram } from './support/run-program.js';

describe('parseMonth()', () => {
  it.each([
    ['2024-02', '2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z', '2024-02-29'],
    ['2025-02', '2025-02-01T00:00:00.000Z', '2025-03-01T00:00:00.000Z', '2025-02-28'],
    ['2000-02', '2000-02-01T00:00:00.000Z', '2000-03-01T00:00:00.000Z', '2000-02-29'],
    ['2100-02', '2100-02-01T00:00:00.000Z', '2100-03-01T00:00:00.000Z', '2100-02-28'],
    ['2025-12', '2025-12-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2025-12-31'],
    ['2025-03', '2025-03-01T00:00:00.000Z', '2025-04-01T00:00:00.000Z', '2025-03-31'],
    ['2199-12', '2199-12-01T00:00:00.000Z', '2200-01-01T00:00:00.000Z', '2199-12-31'],
  ])('spans %s', (name, start, end, lastDay) => {
    const month = parseMonth(name);
    expect([month.start.toISOString(), month.end.toISOString(), month.lastDay]).toEqual([
      start,
      end,
      lastDay,
    ]);
  });

  it.each([
    '2025-13',
    '2025-00',
    '2025-1',
    '25-11',
    '',
    '2025-11-01',
    ' 2025-11',
    '2025-11\n',
    '1999-12',
    '2200-01',
    '２025-11',
  ])('refuses %j', (name) => {
    expect(() => parseMonth(name)).toThrow(
      `Cannot read month: need the form 2025-11, current value is ${JSON.stringify(name)}`,
    );
  });

  it.each([null, undefined, 202511, {}])('refuses %j that came past the types', (name) => {
    expect(() => parseMonth(name as unknown as string)).toThrow(RangeError);
  });
});

describe('monthOf()', () => {
  it.each([
    ['2025-11-30T23:59:59.999Z', '2025-11'],
    ['2025-12-01T00:00:00.000Z', '2025-12'],
    ['2025-12-01T00:30:00.000+01:00', '2025-11'],
    ['2024-02-29T12:00:00.000Z', '2024-02'],
    ['2025-12-31T23:59:59.999Z', '2025-12'],
  ])('puts %s in %s', (instant, name) => {
    expect(monthOf(new Date(instant)).name).toBe(name);
  });

  it('refuses an invalid date', () => {
    expect(() => monthOf(new Date('never'))).toThrow('Cannot tell the day: the date is invalid');
  });
});

describe('previousMonth()', () => {
  it.each([
    ['2025-12-01T00:00:00.000Z', '2025-11'],
    ['2025-11-30T23:59:59.999Z', '2025-10'],
    ['2026-01-15T00:00:00.000Z', '2025-12'],
    ['2024-03-31T00:00:00.000Z', '2024-02'],
  ])('of %s is %s', (instant, name) => {
    expect(previousMonth(new Date(instant)).name).toBe(name);
  });
});

describe('parseDay()', () => {
  it.each([
    ['2025-11-30', '2025-12-01T00:00:00.000Z'],
    ['2024-02-29', '2024-03-01T00:00:00.000Z'],
    ['2025-03-30', '2025-03-31T00:00:00.000Z'],
    ['2025-12-31', '2026-01-01T00:00:00.000Z'],
  ])('ends %s at %s, 24 hours on', (name, end) => {
    const day = parseDay(name);
    expect([dayOf(day.start), day.end.toISOString()]).toEqual([name, end]);
  });

  it.each([
    '2025-02-30',
    '2025-02-29',
    '2025-11-31',
    '2025-13-01',
    '2025-11-00',
    '2025-11-3',
    '2025-11',
    '',
    '+002025-11-30',
    '1999-12-31',
    '2025-11-30T00:00',
  ])('refuses %j', (name) => {
    expect(() => parseDay(name)).toThrow(
      `Cannot read day: need the form 2025-11-30, current value is ${JSON.stringify(name)}`,
    );
  });
});

describe('the zone of the machine', () => {
  // The suite runs in several, see vitest.config.ts.
  it.runIf(process.env.TZ)('is the one that TZ names', () => {
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(process.env.TZ);
  });

  const built = fileURLToPath(new URL('../.build/period.js', import.meta.url));
  const script = `
    import { dayOf, monthOf, parseDay, parseMonth, previousMonth } from ${JSON.stringify(built)};
    const instants = ['2025-11-30T23:59:59.999Z', '2025-12-01T00:00:00Z', '2025-03-30T01:30:00Z'].map((text) => new Date(text));
    console.log(JSON.stringify([
      new Date(2025, 0, 1).getTimezoneOffset(),
      instants.map((instant) => [dayOf(instant), monthOf(instant), previousMonth(instant).name]),
      parseMonth('2018-11'), parseDay('2018-11-04'), parseDay('2025-03-30'),
    ]));`;
  const inZone = async (TZ: string) =>
    JSON.parse((await runNodeProgram(['--input-type=module', '-e', script], { TZ })).printed) as [
      number,
      ...unknown[],
    ];

  it('changes nothing, east, west or on a day when the clocks change', async () => {
    const [kiritimati, saoPaulo, utc] = await Promise.all(
      ['Pacific/Kiritimati', 'America/Sao_Paulo', 'UTC'].map(inZone),
    );
    expect([kiritimati?.[0], saoPaulo?.[0], utc?.[0]]).toEqual([-840, 180, 0]);
    expect(kiritimati?.slice(1)).toEqual(utc?.slice(1));
    expect(saoPaulo?.slice(1)).toEqual(utc?.slice(1));
  });
});
