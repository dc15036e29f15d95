import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { listen } from '../../src/server/listen.js';
import { startServer } from '../../src/server/start-server.js';
import type { Service } from '../../src/service.js';
import type { Services } from '../../src/services/open-services.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const on = <Client>(client: Client): Service<Client> => ({ mode: 'embedded', client, address: '' });
const services = (local = createLocalStripe()): Services => ({
  ...{ clickhouse: on(engine.clickhouse), redis: on(engine.redis) },
  stripe: on(local.client({ maxNetworkRetries: 0 })),
  ...{ workspace: engine.folder, unsent: [], close: async () => undefined },
});
/** Each queue and each worker has one. */
const connections = async () => {
  const { redis } = engine as unknown as { redis: { client(subcommand: 'LIST'): Promise<string> } };
  return (await redis.client('LIST')).trim().split('\n').length;
};

describe('startServer()', () => {
  it('closes what it started when its port is taken', async () => {
    const other = await listen({ fetch: () => new Response() });
    const before = await connections();
    const port = Number(new URL(other.url).port);
    await expect(startServer(services(), { port })).rejects.toThrow(`Cannot listen on port ${port}`);
    await expect.poll(connections, { timeout: 10_000 }).toBe(before);
    await other.close();
  });

  it('closes what it started when Stripe takes no endpoint for webhooks', async () => {
    const local = createLocalStripe();
    local.faults = ({ path }) => (path.endsWith('/webhook_endpoints') ? 'unavailable' : undefined);
    const { url, close } = await listen({ fetch: () => new Response() });
    await close();
    const before = await connections();
    const started = startServer(services(local), { port: Number(new URL(url).port) });
    await expect(started).rejects.toThrow('Stripe is not available');
    await expect.poll(connections, { timeout: 10_000 }).toBe(before);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('closes everything where two of its parts cannot, and tells of both', async () => {
    const before = await connections();
    const { tracker, tenants, close } = await startServer(services());
    failAfterClosing(tracker, 'the disk is full');
    if (tenants) failAfterClosing(tenants.queue, 'Redis is away');
    await expect(close()).rejects.toThrow('the disk is full; Redis is away');
    await expect.poll(connections, { timeout: 10_000 }).toBe(before);
  });
});

function failAfterClosing(part: { close(): Promise<void> }, message: string): void {
  const close = part.close.bind(part);
  part.close = async () => {
    await close();
    throw new Error(message);
  };
}
