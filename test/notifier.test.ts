import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { consoleNotifier, webhookNotifier } from '../src/notifier.js';

const notice = { topic: 'quota alert', tenantId: 'acme-corp', text: '9 of 10 queries used' };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A receiver that notes bodies and answers with a status. */
async function receiver(status: number) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(`${request.method} ${request.headers['content-type']} ${body}`);
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

describe('webhookNotifier()', () => {
  it('posts the notice as JSON', async () => {
    const { bodies, url } = await receiver(204);
    await webhookNotifier(url).notify(notice);
    expect(bodies).toEqual([`POST application/json ${JSON.stringify(notice)}`]);
  });

  it('says so when the receiver refuses', async () => {
    const { url } = await receiver(503);
    await expect(webhookNotifier(url).notify(notice)).rejects.toThrow(
      'Cannot notify: the webhook answered 503',
    );
  });

  it('rejects when nobody listens', async () => {
    await expect(webhookNotifier('http://127.0.0.1:1/').notify(notice)).rejects.toThrow('fetch failed');
  });
});

describe('consoleNotifier', () => {
  it('prints a line', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await consoleNotifier.notify(notice);
    expect(log.mock.calls).toEqual([['[quota alert] acme-corp: 9 of 10 queries used']]);
    log.mockRestore();
  });
});
