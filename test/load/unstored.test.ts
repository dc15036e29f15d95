import { describe, expect, it } from 'vitest';
import { mostUnstored } from './unstored.js';

/** A query a second from 1,000 ms on, and one that was refused. */
const answers = [
  ...[1_000, 2_000, 3_000, 4_000].map((sentAt) => ({ tenantId: 'acme-corp', sentAt, status: 200 })),
  { tenantId: 'acme-corp', sentAt: 1_500, status: 429 },
  { tenantId: 'beta-inc', sentAt: 1_500, status: 200 },
];
const at = (ended: number, queries: number) => ({ ended, stored: { 'acme-corp': queries } });
const unstored = (...readings: { ended: number; stored: Record<string, number> }[]) =>
  mostUnstored(readings, { tenantId: 'acme-corp', answers, before: 10 });

describe('mostUnstored()', () => {
  it('is what was sent until a reading, less what that has', () => {
    expect(unstored(at(2_500, 11))).toBe(1);
    expect(unstored(at(2_500, 12))).toBe(0);
  });

  it('counts what was sent between two readings for the first', () => {
    expect(unstored(at(2_500, 12), at(4_500, 14))).toBe(2);
  });

  it('takes an answer that was cut off for one that may have passed', () => {
    const cut = [...answers, { tenantId: 'acme-corp', sentAt: 2_000 }];
    expect(mostUnstored([at(2_500, 12)], { tenantId: 'acme-corp', answers: cut, before: 10 })).toBe(1);
  });

  it('is 0 where nothing was read', () => {
    expect(unstored()).toBe(0);
  });
});
