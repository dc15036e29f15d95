import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placesInOrder } from '../../../src/local-stripe/events/places-in-order.js';

describe('the order of a delivery plan', () => {
  it.each([
    ['another order', ['a', 'b', 'c'], ['c', 'a', 'b'], [2, 0, 1]],
    ['some are left out', ['a', 'b', 'c'], ['c'], [2, 0, 1]],
    ['all are left out', ['a', 'b'], [], [0, 1]],
    ['copies of one event', ['a', 'b', 'a'], ['b', 'a', 'a'], [1, 0, 2]],
    ['one is named too often', ['a', 'b'], ['b', 'b', 'a', 'b'], [1, 0]],
    ['one is not there', ['a'], ['x', 'a'], [0]],
  ])('%s', (_what, ids, wanted, places) => expect(placesInOrder(ids, wanted)).toEqual(places));

  it('has every place once, whatever it asks for', () => {
    const ids = fc.array(fc.constantFrom('a', 'b', 'c', 'd'));
    fc.assert(
      fc.property(ids, ids, (given, wanted) => {
        expect(placesInOrder(given, wanted).sort((one, other) => one - other)).toEqual([...given.keys()]);
      }),
    );
  });
});
