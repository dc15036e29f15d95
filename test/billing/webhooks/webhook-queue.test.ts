import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebhookEvent } from '../../../src/billing/webhooks/webhook-event.js';
import { WebhookQueue } from '../../../src/billing/webhooks/webhook-queue.js';
import type { PrivateRedis } from '../../../src/services/private-redis.js';
import { openPrivateRedis } from '../../support/private-redis.js';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await openPrivateRedis();
});
afterAll(() => redis.close());

const queues: WebhookQueue[] = [];
const open = (options = {}) => {
  const queue = new WebhookQueue(redis.client, { backoffMs: 1, ...options });
  queues.push(queue);
  return queue;
};
beforeEach(() => redis.client.flushall());
afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.close();
});

const eventOf = (number: number): WebhookEvent => ({
  id: `evt_${number}`,
  type: 'invoice.paid',
  created: 1_764_547_200 + number,
  objectId: `in_${number}`,
});

describe('WebhookQueue', () => {
  it('hands each event over once, however often it came, before and after', async () => {
    const seen: string[] = [];
    const queue = open();
    for (const number of [1, 2, 1, 3, 2]) await queue.add(eventOf(number));
    queue.work(async ({ id }) => void seen.push(id));
    await queue.settled();
    expect(seen).toHaveLength(3);
    await queue.add(eventOf(1));
    await queue.add(eventOf(4));
    await vi.waitFor(() => expect(seen).toContain('evt_4'), 20_000);
    expect(seen.sort()).toEqual(['evt_1', 'evt_2', 'evt_3', 'evt_4']);
  });

  it('keeps events while nobody works, and gives them to the next process', async () => {
    const first = open();
    await first.add(eventOf(1));
    await first.close();
    const seen: WebhookEvent[] = [];
    const second = open();
    expect(await second.waiting()).toBe(1);
    second.work(async (event) => void seen.push(event));
    await vi.waitFor(() => expect(seen).toEqual([eventOf(1)]));
  });

  it('tries again what failed, and puts aside what always fails', async () => {
    const tries = new Map<string, number>();
    let mended = false;
    const queue = open({ attempts: 3 });
    queue.work(async ({ id }) => {
      const count = (tries.get(id) ?? 0) + 1;
      tries.set(id, count);
      if (id === 'evt_1' && count < 3) throw new Error('busy');
      if (id === 'evt_2' && !mended) throw new Error('poison');
    });
    await queue.add(eventOf(1));
    await queue.add(eventOf(2));
    await vi.waitFor(
      async () => expect(await queue.deadLetters()).toEqual([{ event: eventOf(2), reason: 'poison' }]),
      20_000,
    );
    expect(tries).toEqual(
      new Map([
        ['evt_1', 3],
        ['evt_2', 3],
      ]),
    );
    mended = true;
    expect(await queue.retryDeadLetters()).toBe(1);
    await vi.waitFor(() => expect(tries.get('evt_2')).toBe(4));
    expect(await queue.deadLetters()).toEqual([]);
  });
});
