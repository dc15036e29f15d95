/**
 * The whole service in processes of its own: two servers of `npm run serve` (one is asked, the other only works),
 * Redis with its append-only file, the local Stripe, and ClickHouse over HTTP in this process.
 */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catchUpWebhooks } from '../../src/billing/webhooks/catch-up-webhooks.js';
import { registerEndpoint } from '../../src/billing/webhooks/register-endpoint.js';
import { WebhookQueue } from '../../src/billing/webhooks/webhook-queue.js';
import { readConfig } from '../../src/config.js';
import { createTables } from '../../src/metering/tables.js';
import { allOf } from '../../src/service.js';
import { openServices } from '../../src/services/open-services.js';
import { startClickHouseFront } from '../support/clickhouse-front.js';
import { startCommand, startRedis } from './programs.js';

export type LoadedSystem = Awaited<ReturnType<typeof startSystem>>;

/** The stores, with clients of their own; the servers come with `startServers()`. */
export async function startSystem() {
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-load-'));
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const front = await startClickHouseFront({ path: join(folder, 'clickhouse') });
    closers.push(() => front.close());
    const [redisPort = 0, port = 0] = await freePorts(2);
    let redis = await startRedis(redisPort, folder);
    closers.push(() => redis.kill());
    const stripe = await startCommand('local-stripe', ['--port', '0'], {
      ready: /Stripe on (\S+)/,
      cwd: folder,
    });
    closers.push(() => stripe.kill());
    const env = {
      CLICKHOUSE_URL: front.url,
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      STRIPE_API_KEY: 'sk_test_local',
      STRIPE_URL: stripe.ready[1] ?? '',
    };
    const services = await openServices({ workspace: 'load', dataDir: folder, config: readConfig(env) });
    closers.push(() => services.close());
    const all = allOf({ clickhouse: services.clickhouse, redis: services.redis, stripe: services.stripe });
    if (all.mode === 'off') throw new Error(`a service is off: ${all.skip}`);
    await createTables(all.client.clickhouse);
    // Once: it takes the place of one that was made before.
    let secret: Promise<string> | undefined;
    const serve = async (onPort: number) => {
      secret ??= registerEndpoint(all.client.stripe, `http://127.0.0.1:${port}/webhooks/stripe`);
      const program = await startCommand('serve', ['--port', String(onPort)], {
        ...{ ready: /Listening on (\S+)/, cwd: folder },
        env: { ...env, STRIPE_WEBHOOK_SECRET: await secret },
      });
      closers.push(() => program.kill());
      return { ...program, url: program.ready[1] ?? '' };
    };
    return {
      ...all.client,
      /** The one that is asked, at the address that Stripe knows. */
      startServer: () => serve(port),
      /** One that takes its part of the webhooks, signups and rounds. */
      startWorker: () => serve(0),
      killRedis: () => redis.kill(),
      async restartRedis() {
        redis = await startRedis(redisPort, folder);
      },
      /** Resolves when Stripe's events so far are handled. */
      async settled() {
        const queue = new WebhookQueue(all.client.redis);
        // Those that were made before a server listened are known once they are listed.
        await catchUpWebhooks(all.client.stripe, queue);
        await queue.settled().finally(() => queue.close());
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    const address = server.address();
    ports.push(typeof address === 'object' && address ? address.port : 0);
  }
  for (const server of servers) server.close();
  return ports;
}
