import { once } from 'node:events';
import Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebhookQueue } from '../../src/billing/webhooks/webhook-queue.js';
import { WEBHOOK_LIMIT } from '../../src/server/app.js';
import { webhookRoute } from '../../src/server/webhook-route.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { openPrivateRedis } from '../support/private-redis.js';
import { seeded } from '../support/seeded.js';
import { problemOf, testApp } from '../support/test-app.js';

const secret = 'whsec_of_the_tests';
const now = new Date('2025-12-01T00:00:00Z');
const seconds = now.getTime() / 1_000;

let redis: PrivateRedis;
let queue: WebhookQueue;
beforeAll(async () => {
  redis = await openPrivateRedis();
});
afterAll(() => redis.close());
beforeEach(async () => {
  await redis.client.flushall();
  queue = new WebhookQueue(redis.client);
});
afterEach(() => queue.close());

type Body = string | Uint8Array | ReadableStream;
const bodyOf = (id: string, more = '') =>
  JSON.stringify({
    id,
    object: 'event',
    type: 'invoice.paid',
    created: seconds,
    data: { object: { id: 'in_1', object: 'invoice', description: `Ünïcode ${more}` } },
  });
const sign = (payload: string, options: { secret?: string; timestamp?: number; scheme?: string } = {}) =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: seconds, ...options });

const appWith = (given: { secret?: string | undefined; queue?: Pick<WebhookQueue, 'add'> } = {}) => {
  const { app } = testApp({ webhooks: webhookRoute({ secret, queue, now: () => now, ...given }) });
  return async (body: Body, signature?: string) =>
    app.request('/webhooks/stripe', {
      method: 'POST',
      headers: signature === undefined ? {} : { 'stripe-signature': signature },
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    });
};

describe('POST /webhooks/stripe', () => {
  it('stores an event and answers 200, without any key of a tenant', async () => {
    const response = await appWith()(bodyOf('evt_1'), sign(bodyOf('evt_1')));
    expect([response.status, await response.json()]).toEqual([200, { received: true }]);
    expect(await queue.waiting()).toBe(1);
  });

  it('answers 200 to an event that it has, and stores it once', async () => {
    const post = appWith();
    for (const id of ['evt_1', 'evt_2', 'evt_1', 'evt_1']) {
      expect((await post(bodyOf(id), sign(bodyOf(id)))).status).toBe(200);
    }
    expect(await queue.waiting()).toBe(2);
  });

  it('has stored it when it answers', async () => {
    let store: () => void = () => undefined;
    const stored = new Promise<void>((resolve) => {
      store = resolve;
    });
    const answers: number[] = [];
    const answer = appWith({ queue: { add: () => stored } })(bodyOf('evt_1'), sign(bodyOf('evt_1')));
    void answer.then(({ status }) => answers.push(status));
    await new Promise(setImmediate);
    expect(answers).toEqual([]);
    store();
    expect((await answer).status).toBe(200);
  });

  it('takes an object without an id: Stripe must not try it for days', async () => {
    const body = JSON.stringify({ id: 'evt_1', type: 'balance.available', created: 1, data: { object: {} } });
    expect((await appWith()(body, sign(body))).status).toBe(200);
  });

  it.each([undefined, ''])('accepts nothing with the secret %j', async (missing) => {
    const body = bodyOf('evt_1');
    const post = appWith({ secret: missing });
    for (const key of [secret, ' ', 'undefined']) {
      expect(await problemOf(await post(body, sign(body, { secret: key })))).toEqual([
        503,
        'Webhooks are not set up here: STRIPE_WEBHOOK_SECRET is not set',
      ]);
    }
    expect(await queue.waiting()).toBe(0);
  });

  it('says with 503 that the event was not stored, when Redis is gone', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const other = await openPrivateRedis();
    const failing = new WebhookQueue(other.client);
    const post = appWith({ queue: failing });
    expect((await post(bodyOf('evt_1'), sign(bodyOf('evt_1')))).status).toBe(200);
    const ended = once(other.client, 'close');
    other.client.shutdown('NOSAVE').catch(() => undefined);
    await ended;
    const response = await post(bodyOf('evt_2'), sign(bodyOf('evt_2')));
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await problemOf(response)).toEqual([503, 'The event could not be stored; send it again']);
    await failing.close();
    await other.close();
    log.mockRestore();
  });

  it('is not there without its settings', async () => {
    const response = await testApp().app.request('/webhooks/stripe', { method: 'POST', body: '{}' });
    expect(await problemOf(response)).toEqual([404, 'There is no route POST /webhooks/stripe']);
  });
});

describe('a thousand forged, stale, altered and oversized webhooks', () => {
  const random = seeded(12);
  const utf8 = new TextEncoder();
  /** What may be wrong: each gives a body, a header and the status of the refusal. */
  const WRONGS: Record<string, (body: string) => [Body, string | undefined, number]> = {
    'no signature': (body) => [body, undefined, 400],
    'words for a signature': (body) => [body, random.pick(['', 't=', `t=${seconds}`, 'v1=ff', '{}']), 400],
    'another secret': (body) => [body, sign(body, { secret: `whsec_${random.below(1e9)}` }), 400],
    'no secret': (body) => [body, sign(body, { secret: ' ' }), 400],
    'another scheme': (body) => [body, sign(body, { scheme: 'v0' }), 400],
    'a signature of another body': (body) => [body, sign(`${body} `), 400],
    'a stale one': (body) => [body, sign(body, { timestamp: seconds - 301 - random.below(1e6) }), 400],
    'a stale one made young': (body) => {
      const old = sign(body, { timestamp: seconds - 1_000 });
      return [body, old.replace(/t=\d+/, `t=${seconds - random.below(100)}`), 400];
    },
    'one byte altered': (body) => {
      const bytes = utf8.encode(body);
      const place = random.below(bytes.length);
      bytes[place] = ((bytes[place] ?? 0) + 1 + random.below(255)) % 256;
      return [bytes, sign(body), 400];
    },
    'a byte cut off': (body) => [body.slice(0, -1 - random.below(body.length - 2)), sign(body), 400],
    'a mark before it': (body) => [utf8.encode(`\uFEFF${body}`), sign(body), 400],
    'white space': (body) => [body.replace(',', random.pick([' ,', ', ', ',\n'])), sign(body), 400],
    'the fields in another order': (body) => {
      const { id, ...rest } = JSON.parse(body) as { id: string };
      return [JSON.stringify({ ...rest, id }), sign(body), 400];
    },
    'a mended character': (body) => {
      const broken = body.replace('ï', '\uFFFD');
      const bytes = Buffer.from(broken.replace('\uFFFD', '~'));
      bytes[bytes.indexOf('~')] = 0xff;
      return [bytes, sign(broken), 400];
    },
    'too large a body': (body) => {
      const large = bodyOf(body.slice(8, 20), 'x'.repeat(WEBHOOK_LIMIT));
      return [large, sign(large), 413];
    },
    'too large a body in pieces': () => {
      const large = bodyOf('evt_large', 'x'.repeat(WEBHOOK_LIMIT));
      return [new Blob([large]).stream(), sign(large), 413];
    },
  };

  it('are refused, every one', async () => {
    const post = appWith();
    const wrongs = Object.entries(WRONGS);
    for (let number = 0; number < 1_000; number += 1) {
      const [name, wrong] = wrongs[number % wrongs.length] ?? ['', WRONGS['no signature']];
      const [body, signature, status] = wrong?.(bodyOf(`evt_${number}`)) ?? ['', '', 0];
      const response = await post(body, signature);
      expect([name, (await problemOf(response))[0]]).toEqual([name, status]);
    }
    expect(await queue.waiting()).toBe(0);
    // The app does accept: the same events, as they should be.
    expect((await post(bodyOf('evt_0'), sign(bodyOf('evt_0')))).status).toBe(200);
  });
});
