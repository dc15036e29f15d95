/**
 * The part of a Redis client that the kit uses; ioredis fits it. Declared here, since ioredis's own
 * types (800 kB) would make the first cell of a notebook wait.
 */
export interface RedisClient {
  ping(): Promise<string>;
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  del(keys: string[]): Promise<number>;
  pttl(key: string): Promise<number>;
  /** Makes a script callable by name: sent once by its text, then by its hash. */
  defineCommand(name: string, script: { lua: string }): void;
}
