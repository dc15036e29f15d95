import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebhookQueue } from '../../src/billing/webhooks/webhook-queue.js';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { openPrivateRedis } from '../support/private-redis.js';
import { type ProjectCopy, projectCopy } from '../support/project-copy.js';

let copy: ProjectCopy;
let redis: PrivateRedis;
let queue: WebhookQueue;
beforeAll(async () => {
  copy = projectCopy();
  redis = await openPrivateRedis();
  queue = new WebhookQueue(redis.client, { attempts: 2, backoffMs: 1 });
});
afterAll(async () => {
  await queue.close();
  await redis.close();
  copy.remove();
});

const webhooks = (...args: string[]) => {
  const { port, password } = redis.client.options;
  const address = `redis://:${password}@127.0.0.1:${port}`;
  return copy.run('.build/commands/webhooks.js', args, { REDIS_URL: address });
};

describe('npm run webhooks', () => {
  it('lists what failed every time, and has it tried again', async () => {
    expect(await webhooks('list')).toEqual({ code: 0, printed: 'no dead letters\n' });
    let mended = false;
    const handled: string[] = [];
    queue.work(async ({ id }) => {
      if (!mended) throw new Error(`poison in ${id}`);
      handled.push(id);
    });
    for (const id of ['evt_1', 'evt_2', 'evt_3']) {
      await queue.add({ id, type: 'invoice.paid', created: 1, objectId: 'in_1' });
    }
    await vi.waitFor(async () => expect(await queue.deadLetters()).toHaveLength(3), 10_000);
    const { code, printed } = await webhooks('list');
    expect([code, printed.trim().split('\n').sort()]).toEqual([
      0,
      ['evt_1', 'evt_2', 'evt_3'].map((id) => `${id}  invoice.paid  in_1  poison in ${id}`),
    ]);
    expect(await webhooks('retry', 'evt_9')).toEqual({
      code: 2,
      printed: 'Cannot retry evt_9: no dead letter has this id\n',
    });
    mended = true;
    expect(await webhooks('retry', 'evt_2')).toEqual({ code: 0, printed: '1 event is tried again\n' });
    await vi.waitFor(() => expect(handled).toEqual(['evt_2']), 10_000);
    expect(await webhooks('retry')).toEqual({ code: 0, printed: '2 events are tried again\n' });
    await vi.waitFor(() => expect(handled.sort()).toEqual(['evt_1', 'evt_2', 'evt_3']), 10_000);
  });

  it('says that another process has the Redis, instead of an empty list', async () => {
    mkdirSync(join(copy.folder, '.data', 'serve'), { recursive: true });
    writeFileSync(join(copy.folder, '.data', 'serve', 'lock'), JSON.stringify({ pid: process.pid }));
    expect(await copy.run('.build/commands/webhooks.js', ['list'])).toEqual({
      code: 2,
      printed:
        'Cannot read the dead letters: another process has the Redis of serve; stop it, or set REDIS_URL\n',
    });
  });

  it('says that a workspace is not there, instead of making it, and that another Redis is set', async () => {
    expect(await copy.run('.build/commands/webhooks.js', ['list', '--workspace', 'sevre'])).toEqual({
      code: 2,
      printed: 'Cannot read --workspace "sevre": there is none in .data/\n',
    });
    expect(existsSync(join(copy.folder, '.data', 'sevre'))).toBe(false);
    expect(await webhooks('list', '--workspace', 'serve')).toEqual({
      code: 2,
      printed: 'Cannot take --workspace: the settings name the Redis\n',
    });
  });

  it('says why there is nothing to read when Redis is off', async () => {
    expect(await copy.run('.build/commands/webhooks.js', ['list'], { OFFLINE: 'true' })).toEqual({
      code: 2,
      printed: 'Cannot read the dead letters: OFFLINE=true\n',
    });
  });

  it.each([[[]], [['purge']], [['list', 'evt_1']]])('does not guess what %j means', async (args) => {
    expect(await webhooks(...args)).toEqual({
      code: 2,
      printed: 'Cannot tell what to do: say list, or retry with or without ids of events\n',
    });
  });
});
