import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { openTestClock, type TestClock } from '../../src/billing/test-clock.js';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';

const start = new Date('2025-11-01T00:00:00Z');
let stripe: Stripe;
let clock: TestClock;
beforeEach(() => {
  stripe = createLocalStripe({ seed: 'clock' }).client();
  clock = openTestClock(stripe, { start });
});

const addCustomer = async () => stripe.customers.create({ test_clock: await clock.place() });
const frozenTimes = () =>
  Promise.all(
    clock.ids().map(async (id) => (await stripe.testHelpers.testClocks.retrieve(id)).frozen_time * 1_000),
  );

describe('openTestClock()', () => {
  it('has room for any number of customers, three to a clock at Stripe', async () => {
    await Promise.all(Array.from({ length: 7 }, addCustomer));
    expect(clock.ids()).toHaveLength(3);
    const customers = await stripe.customers.list({ test_clock: clock.ids()[0] as string });
    expect(customers.data).toHaveLength(3);
  });

  it('moves all clocks at Stripe, over any time', async () => {
    await Promise.all(Array.from({ length: 4 }, addCustomer));
    const next = new Date('2027-02-03T04:05:06Z');
    await clock.advanceTo(next);
    expect(clock.now()).toEqual(next);
    expect(await frozenTimes()).toEqual([next.getTime(), next.getTime()]);
  });

  it('places a customer where the clock is by then', async () => {
    await clock.advanceTo(new Date('2025-11-20T00:00:00Z'));
    await addCustomer();
    expect(await frozenTimes()).toEqual([Date.parse('2025-11-20T00:00:00Z')]);
  });

  it('does not go back', async () => {
    await expect(clock.advanceTo(new Date('2025-10-31T00:00:00Z'))).rejects.toThrow(
      'Cannot go back to 2025-10-31T00:00:00.000Z: the clock is at 2025-11-01T00:00:00.000Z',
    );
  });

  it('removes its clocks with their customers', async () => {
    const { id } = await addCustomer();
    await clock.remove();
    expect(clock.ids()).toEqual([]);
    expect(await stripe.customers.retrieve(id)).toMatchObject({ deleted: true });
  });
});
