import { describe, expect, it } from 'vitest';
import { idOf } from '../support/events.js';
import { linesOf, reportOf } from './report.js';

const options = { seed: 1, seconds: 2, rate: 2, tenants: 1 };
const answer = (sentAt: number, ms: number, number: number) => ({
  ...{ tenantId: 'acme-corp', sentAt, ms, status: 200, eventId: idOf(number) },
});

/** Four answers at a rate, around a Redis that is away from 1,000 to 2,000 ms; two without, one of them cut off. */
function result(seconds = 2) {
  const paced = [answer(0, 10, 1), answer(1_500, 700, 2), answer(2_000, 30, 3), answer(7_001, 20, 4)];
  const free = [answer(9_000, 5, 5), { tenantId: 'acme-corp', sentAt: 9_001 }];
  const counts = { 'acme-corp': 6 };
  const events = [1, 2, 3, 4, 5, 6].map(idOf);
  return {
    paced: { answers: paced, seconds },
    free: { answers: free, seconds: 0.5 },
    redis: { killed: 1_000, back: 2_000 },
    run: {
      tenants: [{ tenantId: 'acme-corp', plan: 'starter', quota: 5, earlier: [], unstored: 1 } as const],
      answers: [...paced, ...free],
      stored: events.map((eventId) => ({ tenantId: 'acme-corp', eventId, day: '2025-11-15' })),
      rollups: { usage_hourly: counts, usage_daily: counts },
      ...{ told: counts, askedForOthers: [], invoiced: counts, metered: counts, signups: [] },
    },
  };
}

describe('reportOf()', () => {
  it('tells apart what was sent while Redis was away, in the 5 s after, and otherwise', () => {
    const { latency } = reportOf(options, result());
    expect([latency.outside.p50, latency.outside.p99]).toEqual([10, 20]);
    expect([latency.away.p99, latency.after.p99, latency.unpaced.p99]).toEqual([700, 30, 5]);
  });

  it('gives requests a second, and how many times that is what the course asks for', () => {
    const { heldPerSecond, mostPerSecond, timesTheCourse } = reportOf(options, result());
    expect([heldPerSecond, mostPerSecond, Math.round(timesTheCourse * 10) / 10]).toEqual([2, 2, 7.2]);
  });

  it('counts what was cut off, and how much of that is stored', () => {
    expect(reportOf(options, result()).cutOff).toEqual({ answers: 1, stored: 1 });
  });

  it('has a line for each check, green where all is well', () => {
    const marks = linesOf(reportOf(options, result())).filter((line) => /^[✓✗]/.test(line));
    expect(marks.map((line) => line[0])).toEqual(Array(7).fill('✓'));
  });

  it('is red where less than the rate was held', () => {
    const { checks } = reportOf(options, result(4));
    expect(checks['at least 2 requests a second held']).toEqual(['1.0 were held']);
  });
});
