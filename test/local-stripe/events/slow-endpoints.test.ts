import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLocalStripe } from '../../../src/local-stripe/create-local-stripe.js';
import { openBench } from '../../support/local-stripe.js';

afterEach(() => {
  vi.useRealTimers();
});
const never = () => new Promise(() => undefined);

describe('a function that never answers', () => {
  it('is given up after 10 seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { local, stripe } = await openBench();
    let tries = 0;
    local.onWebhook(
      () => {
        tries += 1;
        return never();
      },
      { events: ['product.created'] },
    );
    await stripe.products.create({ name: 'x' });
    let isSettled = false;
    void local.settled().then(() => {
      isSettled = true;
    });
    for (const [seconds, expected] of [
      [9.9, false],
      [0.2, true],
    ] as const) {
      await vi.advanceTimersByTimeAsync(seconds * 1_000);
      await wait(0);
      expect(isSettled).toBe(expected);
    }
    expect(tries).toBe(1);
  });
});

describe('an endpoint that hangs', () => {
  it('does not hold up the others, nor what comes later', async () => {
    const local = createLocalStripe();
    const stripe = local.client();
    const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/`;
    await stripe.webhookEndpoints.create({ url, enabled_events: ['*'] });
    local.onWebhook(never);
    const seen: string[] = [];
    local.onWebhook((body) =>
      seen.push((JSON.parse(body) as { data: { object: { name: string } } }).data.object.name),
    );
    for (const name of ['a', 'b', 'c']) await stripe.products.create({ name });
    await vi.waitFor(() => expect(seen).toEqual(['a', 'b', 'c']), { timeout: 3_000 });
    await wait(1_100);
    await stripe.products.create({ name: 'd' });
    await vi.waitFor(() => expect(seen).toEqual(['a', 'b', 'c', 'd']), { timeout: 3_000 });
    hanging.closeAllConnections();
    hanging.close();
  });

  it('gets its own events one after the other', async () => {
    const { local, stripe } = await openBench();
    const seen: string[] = [];
    const slow = (name: string) => async () => {
      seen.push(`${name} begins`);
      await wait(20);
      seen.push(`${name} ends`);
    };
    local.onWebhook(slow('first'), { events: ['product.created'] });
    local.onWebhook(slow('second'), { events: ['product.created'] });
    await stripe.products.create({ name: 'a' });
    await stripe.products.create({ name: 'b' });
    await local.settled();
    for (const name of ['first', 'second']) {
      expect(seen.filter((what) => what.startsWith(name))).toEqual(
        Array.from({ length: 2 }, () => [`${name} begins`, `${name} ends`]).flat(),
      );
    }
    expect(seen[1]).toBe('second begins');
  });
});
