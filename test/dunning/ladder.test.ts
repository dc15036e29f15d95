import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DUNNING_POLICY, dueSteps, dunningDay, nextStepAt } from '../../src/dunning/ladder.js';

const firstFailure = new Date('2025-12-01T01:00:00Z');
const at = (text: string) => new Date(text);
const due = (now: string, paidAt?: string) =>
  dueSteps(DUNNING_POLICY, { firstFailure, paidAt: paidAt ? at(paidAt) : undefined }, at(now)).map(
    ({ action }) => action,
  );

describe('dueSteps()', () => {
  it.each([
    ['2025-12-01T00:59:59.999Z', []],
    ['2025-12-01T01:00:00Z', ['reminder_sent']],
    ['2025-12-04T00:59:59.999Z', ['reminder_sent']],
    ['2025-12-04T01:00:00Z', ['reminder_sent', 'warning_sent']],
    ['2025-12-07T01:00:00Z', ['reminder_sent', 'warning_sent', 'rate_limit_reduced']],
    ['2025-12-08T01:00:00Z', ['reminder_sent', 'warning_sent', 'rate_limit_reduced', 'service_suspended']],
    ['2026-12-08T01:00:00Z', ['reminder_sent', 'warning_sent', 'rate_limit_reduced', 'service_suspended']],
  ])('at %s are %j', (now, actions) => {
    expect(due(now)).toEqual(actions);
  });

  it('are none once it is paid, and what was due before while it was not', () => {
    expect(due('2025-12-05T00:00:00Z', '2025-12-05T00:00:00Z')).toEqual([]);
    expect(due('2025-12-04T23:00:00Z', '2025-12-05T00:00:00Z')).toEqual(['reminder_sent', 'warning_sent']);
    expect(due('2026-01-05T00:00:00Z', '2025-12-10T00:00:00Z')).toEqual([]);
  });

  it('only grow with time, in the order of the policy', () => {
    const hours = fc.integer({ min: 0, max: 30 * 24 });
    fc.assert(
      fc.property(hours, hours, (some, more) => {
        const when = (count: number) => new Date(firstFailure.getTime() + count * 3_600_000);
        const earlier = dueSteps(DUNNING_POLICY, { firstFailure }, when(Math.min(some, more)));
        const later = dueSteps(DUNNING_POLICY, { firstFailure }, when(Math.max(some, more)));
        expect(later.slice(0, earlier.length)).toEqual(earlier);
      }),
    );
  });
});

describe('nextStepAt()', () => {
  it('is when the next step becomes due, and not a moment before', () => {
    for (let now: Date | undefined = firstFailure; now; ) {
      const next = nextStepAt(DUNNING_POLICY, { firstFailure }, now);
      if (!next) break;
      const before = dueSteps(DUNNING_POLICY, { firstFailure }, new Date(next.getTime() - 1));
      const after = dueSteps(DUNNING_POLICY, { firstFailure }, next);
      expect(after.length).toBe(before.length + 1);
      now = next;
    }
    expect(nextStepAt(DUNNING_POLICY, { firstFailure }, at('2025-12-08T01:00:00Z'))).toBeUndefined();
    expect(nextStepAt(DUNNING_POLICY, { firstFailure, paidAt: firstFailure }, firstFailure)).toBeUndefined();
  });
});

describe('dunningDay()', () => {
  it('is 1 from the first failure on, and 0 before it', () => {
    expect(dunningDay(firstFailure, firstFailure)).toBe(1);
    expect(dunningDay(firstFailure, at('2025-12-02T00:59:59.999Z'))).toBe(1);
    expect(dunningDay(firstFailure, at('2025-12-02T01:00:00Z'))).toBe(2);
    expect(dunningDay(firstFailure, at('2025-12-01T00:00:00Z'))).toBe(0);
  });
});
