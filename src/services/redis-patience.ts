/**
 * How long a call waits for a Redis that is away, see ioredis. A query asks Redis three times (key, limits, quota),
 * each of which has somebody else to ask: with longer waits nobody would be answered for seconds. A restart within
 * a tenth of a second is ridden out.
 */
export const REDIS_PATIENCE = {
  /** Calls fail with the second try to connect that does. */
  maxRetriesPerRequest: 1,
  /** Between two tries, in ms; longer ones would be waited for. */
  retryStrategy: () => 100,
  /** Of a server that takes calls and gives no answer, in ms. */
  commandTimeout: 5_000,
};
