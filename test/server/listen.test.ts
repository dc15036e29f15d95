import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import { type Listening, listen } from '../../src/server/listen.js';
import { rateLimitHeaders } from '../../src/server/rate-limit-headers.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { refusedClient } from '../support/embedded.js';
import { openPrivateRedis } from '../support/private-redis.js';
import { problemOf, testApp } from '../support/test-app.js';

let redis: PrivateRedis;
let client: Redis;
let server: Listening;
let key: string;
const away = refusedClient();
beforeAll(async () => {
  redis = await openPrivateRedis();
  const { port = 0, password = '' } = redis.client.options;
  // Gives up at once, so that no test waits for its patience.
  client = new Redis({ port, password, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  const made = testApp({
    gate: redisQuotaGate(client),
    clickhouse: { mode: 'configured', client: away, address: '' },
  });
  key = made.key;
  server = await listen(made.app);
});
afterAll(async () => {
  await server.close();
  await away.close();
  await redis.close();
});

const ask = () =>
  fetch(`${server.url}/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"question":"How many are left?"}',
  });

describe('the application over HTTP', () => {
  it('answers ten requests at a quota of ten, and the eleventh with 429', async () => {
    for (let request = 1; request <= 10; request += 1) expect((await ask()).status).toBe(200);
    const response = await ask();
    expect(response.headers.get('retry-after')).toBe('43200');
    expect(response.headers.get('ratelimit')).toMatch(/^"queries";r=0;t=43200, "tokens";r=\d+;t=43200$/);
    expect(response.headers.get('ratelimit-policy')).toBe(
      '"queries";q=10;w=86400, "tokens";q=100000;w=86400',
    );
    expect(await problemOf(response)).toEqual([429, "The day's quota of queries is used up"]);
  });

  it('refuses a body without a length above 64 KiB', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(40_000));
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(chunk);
        controller.enqueue(chunk);
        controller.close();
      },
    });
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
    expect((await problemOf(await fetch(`${server.url}/query`, request)))[0]).toBe(413);
  });

  it('is degraded while ClickHouse is away, and while Redis is dead', async () => {
    const health = async () => {
      const response = await fetch(`${server.url}/health`);
      return [response.status, await response.json()];
    };
    const tracker = { buffered: 5, fallback_bytes: 300 };
    expect(await health()).toEqual([
      503,
      { status: 'degraded', clickhouse: 'unreachable', quota_gate: 'redis', tracker, warnings: [] },
    ]);
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const ended = once(client, 'end');
    redis.client.shutdown('NOSAVE').catch(() => undefined);
    await ended;
    expect(await health()).toEqual([
      503,
      { status: 'degraded', clickhouse: 'unreachable', quota_gate: 'unreachable', tracker, warnings: [] },
    ]);
    expect(await problemOf(await ask())).toEqual([503, 'The quota cannot be looked up right now']);
    log.mockRestore();
  });
});

describe('listen()', () => {
  it('says which port is taken', async () => {
    const port = Number(new URL(server.url).port);
    await expect(listen(testApp().app, { port })).rejects.toThrow(
      `Cannot listen on port ${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
    );
  });

  it('ends although a request is still open', async () => {
    let arrived: () => void = () => undefined;
    const open = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const fetched = () => {
      arrived();
      return new Promise<Response>(() => undefined);
    };
    const { url, close } = await listen({ fetch: fetched });
    const answer = fetch(url).catch((error: Error) => error.message);
    await open;
    await close();
    expect(await answer).toBe('fetch failed');
  });
});

describe('rateLimitHeaders()', () => {
  it('asks to wait a second at least', () => {
    const resetsAt = new Date('2025-11-16T00:00:00Z');
    const window = { kind: 'queries', limit: 1, used: 1, remaining: 0, resetsAt, mark: 'block' } as const;
    const decision = { allowed: false, refusedBy: 'queries', windows: [window] } as const;
    expect(rateLimitHeaders(decision, resetsAt)).toEqual({
      'ratelimit-policy': '"queries";q=1;w=86400',
      ratelimit: '"queries";r=0;t=1',
      'retry-after': '1',
    });
  });
});

describe('close()', () => {
  it('lets a request that runs be answered, and takes no other', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let asked: () => void = () => undefined;
    const running = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const slow = await listen({
      fetch: async () => {
        asked();
        await answered;
        return new Response('at last');
      },
    });
    const response = fetch(slow.url);
    await running;
    const closed = slow.close();
    await expect(fetch(slow.url)).rejects.toThrow();
    answer();
    expect(await (await response).text()).toBe('at last');
    await closed;
  });
});
