/** Test clocks: customers on one live in its time, which moves when it is told to. */
import { addIntervals } from '../clock/interval.js';
import { invalid } from '../http/api-error.js';
import { text, timestamp } from '../http/parameters.js';
import { type Route, readRoutes, route } from '../http/route.js';
import type { Account } from '../state/account.js';
import type { TestClock } from '../state/tables.js';
import { deleteCustomer } from './customers.js';

const DELETED_AFTER_SECONDS = 30 * 86_400;
/** Stripe lets a clock go this many intervals of its shortest subscription at a time. */
const MOST_INTERVALS = 2;

export const testClockRoutes: Route[] = [
  route(
    'POST /v1/test_helpers/test_clocks',
    'testHelpers.testClocks.create',
    { frozen_time: timestamp, name: text(300).optional() },
    (account, { frozen_time: at, name = null }): TestClock => {
      const clock = account.tables.testClocks.put({
        id: account.newId('clock'),
        object: 'test_helpers.test_clock',
        created: account.now(),
        deletes_after: account.now() + DELETED_AFTER_SECONDS,
        frozen_time: at,
        livemode: false,
        name,
        status: 'ready',
        status_details: {},
      });
      account.emit('test_helpers.test_clock.created', clock);
      return clock;
    },
  ),
  route(
    'POST /v1/test_helpers/test_clocks/:id/advance',
    'testHelpers.testClocks.advance',
    { frozen_time: timestamp },
    (account, { frozen_time: target }, id) => {
      const { testClocks } = account.tables;
      const before = testClocks.one(id);
      checkTarget(account, before, target);
      const clock = testClocks.change(id, {
        status: 'advancing',
        status_details: { advancing: { target_frozen_time: target } },
      });
      account.emit('test_helpers.test_clock.advancing', clock, { before });
      return clock;
    },
  ),
  route(
    'DELETE /v1/test_helpers/test_clocks/:id',
    'testHelpers.testClocks.del',
    {},
    (account, _params, id) => {
      const { testClocks, customers, due, deliveries } = account.tables;
      const clock = testClocks.one(id);
      for (const customer of customers.by('test_clock', id)) deleteCustomer(account, customer.id);
      for (const row of due.dueBy(id, Infinity)) due.delete(row.id);
      for (const row of deliveries.dueBy(id, Infinity)) deliveries.delete(row.id);
      testClocks.delete(id);
      account.emit('test_helpers.test_clock.deleted', clock);
      return { id, object: 'test_helpers.test_clock', deleted: true };
    },
  ),
  ...readRoutes('/v1/test_helpers/test_clocks', 'testHelpers.testClocks', {}, (tables) => tables.testClocks),
];

function checkTarget(account: Account, clock: TestClock, target: number): void {
  if (clock.status !== 'ready') throw invalid(`The test clock is ${clock.status}, it cannot be advanced.`);
  if (target <= clock.frozen_time) {
    throw invalid('frozen_time must be after the current frozen time.', 'frozen_time');
  }
  const { customers, subscriptions } = account.tables;
  if (!account.settings.clockLimits) return;
  const ends = customers
    .by('test_clock', clock.id)
    .flatMap(({ id }) => subscriptions.by('customer', id))
    .filter(({ ended_at: ended }) => ended === null)
    .flatMap(({ items }) => items.data)
    .flatMap(({ price }) => price.recurring ?? [])
    .map((interval) => addIntervals(clock.frozen_time, interval, MOST_INTERVALS));
  const most = Math.min(...ends, addIntervals(clock.frozen_time, { interval: 'year', interval_count: 1 }, 2));
  if (target > most) {
    throw invalid(
      `A test clock can be advanced by at most ${MOST_INTERVALS} intervals of its shortest subscription, or two years without one.`,
      'frozen_time',
    );
  }
}
