import type Stripe from 'stripe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeliveryPlan } from '../../../src/local-stripe/events/delivery-plan.js';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench({ config: { maxNetworkRetries: 0 } });
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(() => vi.restoreAllMocks());

async function received(plan: DeliveryPlan): Promise<string[]> {
  const seen: string[] = [];
  bench.local.onWebhook((body) => seen.push((JSON.parse(body) as Stripe.Event).type));
  bench.local.deliveryPlan = plan;
  const { id: customer } = await bench.customer();
  await bench.stripe.subscriptions.create({ customer, items: [{ price: (await bench.monthly(1_000)).id }] });
  await bench.local.settled();
  return seen.sort();
}

/** Were one of them to go on without end, the test would never come to its own. */
describe('an order', () => {
  it.each([
    ['copies of the events', (events) => events.map((event) => ({ ...event })).reverse()],
    ['fewer', (events) => events.slice(1)],
    ['none', () => []],
    ['what is no list', () => undefined as never],
    [
      'an error',
      () => {
        throw new Error('no order');
      },
    ],
  ] satisfies [string, DeliveryPlan['order']][])('that gives %s loses nothing', async (_what, order) => {
    const usual = await received({});
    bench = await openBench();
    expect(await received({ order })).toEqual(usual);
  });
});

describe('a plan', () => {
  it.each([
    ['copies', { copies: () => Infinity }],
    ['copies', { copies: () => -1 }],
    ['copies', { copies: () => 0.5 }],
    ['delaySeconds', { delaySeconds: () => Number.NaN }],
    ['delaySeconds', { delaySeconds: () => -1 }],
  ])('whose %s are no number of them fails the call', async (name, plan) => {
    bench.local.onWebhook(() => undefined);
    bench.local.deliveryPlan = plan;
    await expect(bench.stripe.products.create({ name: 'x' })).rejects.toMatchObject({ statusCode: 500 });
    expect(String(vi.mocked(console.error).mock.calls[0]?.[0])).toContain(
      `RangeError: Cannot follow the delivery plan: ${name} must be`,
    );
  });
});
