/** The whole of a Redis client: the public declarations know a part of it, see redis-client.ts. */
import type { Redis } from 'ioredis';
import type { RedisClient } from './redis-client.js';

/** @example await ioredisOf(redis).hgetall('meterbridge:onboarding:{acme-corp}') */
export const ioredisOf = (client: RedisClient): Redis => client as unknown as Redis;
