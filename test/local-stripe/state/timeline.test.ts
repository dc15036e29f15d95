import { describe, expect, it } from 'vitest';
import { Journal } from '../../../src/local-stripe/state/journal.js';
import { type Timed, Timeline } from '../../../src/local-stripe/state/timeline.js';

const open = () => {
  const journal = new Journal(() => undefined);
  return { journal, timeline: new Timeline<Timed>('due', journal) };
};
const row = (id: string, at: number, rank = 0, clock = 'live'): Timed => ({ id, at, rank, clock });

/** Takes all that is due, in order. */
function drain(timeline: Timeline<Timed>, until = Infinity, clock = 'live'): string[] {
  const ids: string[] = [];
  for (let next = timeline.next(clock, until); next; next = timeline.next(clock, until)) {
    ids.push(next.id);
    timeline.delete(next.id);
  }
  return ids;
}

describe('Timeline', () => {
  it('goes by time, then by rank, then by the order of writing', () => {
    const { timeline } = open();
    for (const one of [row('d', 2), row('c', 1, 5), row('a', 1, 2), row('b', 1, 2), row('e', 2)])
      timeline.put(one);
    expect(timeline.dueBy('live', 1).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(drain(timeline)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('moves what is written again, and forgets what is deleted', () => {
    const { timeline } = open();
    for (const one of [row('a', 1), row('b', 2), row('c', 3), row('a', 4)]) timeline.put(one);
    timeline.delete('b');
    expect(drain(timeline)).toEqual(['c', 'a']);
  });

  it('keeps clocks apart, and what is not due', () => {
    const { timeline } = open();
    for (const one of [row('a', 1), row('b', 1, 0, 'clock_1'), row('c', 9)]) timeline.put(one);
    expect(drain(timeline, 5)).toEqual(['a']);
    expect(drain(timeline, 5, 'clock_1')).toEqual(['b']);
  });

  it('is as before when work on it is taken back', () => {
    const { journal, timeline } = open();
    timeline.put(row('a', 1));
    journal.tentative(() => {
      timeline.put(row('a', 7));
      timeline.put(row('b', 3));
      timeline.delete('a');
    });
    expect(drain(timeline)).toEqual(['a']);
  });
});
