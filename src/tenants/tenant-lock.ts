/**
 * One at a time for each tenant, over all processes: two events of one tenant that are handled at the
 * same time must not both find that a step is still to be done. Different tenants go side by side.
 *
 * A process that is killed leaves its lock to expire. One that stands still for longer than that loses
 * it and does not notice; what both then write has the same number and the same id, so that the ledger
 * keeps one row and the receiver of a message drops the second.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ioredisOf } from '../ioredis-of.js';
import type { RedisClient } from '../redis-client.js';

export interface TenantLockOptions {
  /** Life of a lock whose holder is gone; a living one renews it. @default 10_000 */
  readonly holdMs?: number;
  /** Longest wait for a lock. @default 20_000 */
  readonly waitMs?: number;
}

/** Somebody else had the lock for as long as was waited. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError';

  constructor(tenantId: string, waitMs: number) {
    super(`Cannot work on ${tenantId}: somebody else has been at it for ${waitMs} ms`);
  }
}

/**
 * Runs work while nobody else has this tenant's lock; not to be nested. What is no tenant's has a name with a
 * colon, which no tenant's id can have.
 */
export type TenantLock = <Result>(tenantId: string, work: () => Promise<Result>) => Promise<Result>;

/* KEYS: the lock. ARGV: the holder's token, life in ms; only the holder renews. */
const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]))`;
/* KEYS: the lock. ARGV: the holder's token; another's lock stays. */
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

type LockingRedis = Redis & {
  renewLock(keyCount: 1, key: string, token: string, holdMs: number): Promise<0 | 1>;
  releaseLock(keyCount: 1, key: string, token: string): Promise<0 | 1>;
};

/** Wait between two tries: some milliseconds, drawn, so that those who wait do not march in step. */
const LONGEST_PAUSE_MS = 40;

/**
 * @throws from the lock: LockHeldError when it is not free in time; whatever the work throws
 * @example
 * const lock = tenantLock(redis);
 * await lock('acme-corp', async () => { … });
 */
export function tenantLock(client: RedisClient, options: TenantLockOptions = {}): TenantLock {
  const { holdMs = 10_000, waitMs = 20_000 } = options;
  client.defineCommand('renewLock', { lua: RENEW });
  client.defineCommand('releaseLock', { lua: RELEASE });
  const redis = ioredisOf(client) as LockingRedis;

  return async (tenantId, work) => {
    const key = `meterbridge:lock:{${tenantId}}`;
    const token = randomUUID();
    const giveUpAt = performance.now() + waitMs;
    while (!(await redis.set(key, token, 'PX', holdMs, 'NX'))) {
      if (performance.now() > giveUpAt) throw new LockHeldError(tenantId, waitMs);
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * LONGEST_PAUSE_MS));
    }
    // A renewal that fails is not the last: there are two more before the lock expires.
    const renewal = setInterval(() => {
      redis.renewLock(1, key, token, holdMs).catch(() => undefined);
    }, holdMs / 3);
    try {
      return await work();
    } finally {
      clearInterval(renewal);
      // The work is done; a lock that cannot be given back expires.
      await redis.releaseLock(1, key, token).catch(() => undefined);
    }
  };
}
