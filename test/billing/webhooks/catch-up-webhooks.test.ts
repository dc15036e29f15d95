import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { catchUpWebhooks } from '../../../src/billing/webhooks/catch-up-webhooks.js';
import { HANDLED_TYPES } from '../../../src/billing/webhooks/handle-webhook.js';
import { WebhookQueue } from '../../../src/billing/webhooks/webhook-queue.js';
import type { PrivateRedis } from '../../../src/services/private-redis.js';
import { openBench } from '../../support/local-stripe.js';
import { openPrivateRedis } from '../../support/private-redis.js';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await openPrivateRedis();
});
afterAll(() => redis.close());
beforeEach(() => redis.client.flushall());

/** A month of a subscription: its events of 1 November, of 20 November and of 1 December. */
async function history() {
  const bench = await openBench({ clockLimits: false });
  const customer = await bench.customer();
  const price = await bench.monthly(2_900);
  const { id } = await bench.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
  });
  await bench.advance('2025-11-20');
  await bench.stripe.subscriptions.update(id, { metadata: { note: 'x' } });
  const seen = [];
  const types = [...HANDLED_TYPES];
  for await (const { id: event, created } of bench.stripe.events.list({ types }))
    seen.push({ event, created });
  return { ...bench, seen };
}

/** Handles all that the queue is given, and tells what that was. */
async function handledBy(queue: WebhookQueue): Promise<string[]> {
  const handled: string[] = [];
  queue.work(async ({ id }) => void handled.push(id));
  await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), 10_000);
  return handled.sort();
}

describe('catchUpWebhooks()', () => {
  it('reads all that Stripe lists where nothing is known, and leaves out what nobody handles', async () => {
    const { stripe, seen } = await history();
    const queue = new WebhookQueue(redis.client);
    expect(await catchUpWebhooks(stripe, queue)).toBe(seen.length);
    expect(await handledBy(queue)).toEqual(seen.map(({ event }) => event).sort());
    await queue.close();
  });

  it('stores what the queue has not, and nothing twice', async () => {
    const { stripe, seen } = await history();
    const queue = new WebhookQueue(redis.client);
    const [known] = seen;
    const add = { id: known?.event ?? '', type: 'invoice.paid', created: 1, objectId: 'in_1' };
    await queue.add(add);
    await catchUpWebhooks(stripe, queue);
    await catchUpWebhooks(stripe, queue);
    expect(await handledBy(queue)).toHaveLength(seen.length);
    await queue.close();
  });

  it('goes back three days from the newest that was handled, as long as Stripe tries', async () => {
    const { stripe } = await history();
    const queue = new WebhookQueue(redis.client);
    const created = Date.parse('2025-11-22T23:00:00Z') / 1_000;
    await queue.add({ id: 'evt_known', type: 'invoice.paid', created, objectId: 'in_1' });
    await queue.add({ id: 'evt_older', type: 'invoice.paid', created: created - 86_400, objectId: 'in_1' });
    await handledBy(queue);
    expect(await queue.newestHandled()).toEqual(new Date('2025-11-22T23:00:00Z'));
    // The update of 20 November alone: what came on the 1st is older.
    expect(await catchUpWebhooks(stripe, queue)).toBe(1);
    await queue.close();
  });
});
