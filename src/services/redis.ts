/** Redis: a private server of ours, or one by its address. */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Config, Endpoint } from '../config.js';
import type { RedisClient } from '../redis-client.js';
import { messageOf } from '../say-failure.js';
import { FIRST_ANSWER_MS, type Opened, off } from './opened.js';
import { findRedisServer, startPrivateRedis } from './private-redis.js';
import { REDIS_PATIENCE } from './redis-patience.js';
import { unreachable } from './unreachable.js';

export async function openRedis(config: Config, workspace: string): Promise<Opened<RedisClient>> {
  const endpoint = config.redis;
  if (!endpoint) return openPrivate(config.searchPath, join(workspace, 'redis'));
  return 'url' in endpoint ? openServer(endpoint) : off(endpoint.message);
}

async function openPrivate(searchPath: string, folder: string): Promise<Opened<RedisClient>> {
  const binary = findRedisServer(searchPath);
  if (!binary) return off('no redis-server on this machine: npm start says how to install it');
  try {
    const { client, address, close } = await startPrivateRedis(binary, folder);
    return { service: { mode: 'embedded', client, address }, close };
  } catch (error) {
    return off(messageOf(error));
  }
}

async function openServer(endpoint: Endpoint): Promise<Opened<RedisClient>> {
  let connected = false;
  const client = new Redis(endpoint.url.href, {
    ...REDIS_PATIENCE,
    lazyConnect: true,
    connectTimeout: FIRST_ANSWER_MS,
    // A first connection that fails is told at once; a lost one is taken up again.
    retryStrategy: () => (connected ? REDIS_PATIENCE.retryStrategy() : null),
  });
  let reason: unknown;
  client.on('error', (error) => {
    reason = error;
  });
  try {
    await client.connect();
    await client.ping();
    connected = true;
  } catch (error) {
    // On a client that never connected, disconnect() would leave a timer of two seconds.
    if (client.status !== 'end') client.disconnect();
    return off(unreachable(endpoint, reason ?? error));
  }
  const { protocol, host } = endpoint.url;
  return {
    service: { mode: 'configured', client, address: `${protocol}//${host}` },
    close: async () => client.disconnect(),
  };
}
