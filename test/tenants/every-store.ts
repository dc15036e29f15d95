import { existsSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { LocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import type { Embedded } from '../support/embedded.js';

/** All that the stores hold, as text, by the name of its place. */
export type Stores = Readonly<Record<string, string>>;

/** Every key of Redis, every column of every table, the local Stripe's state, and files. */
export async function everyStore({
  redis,
  clickhouse,
  rows,
  stripe,
  files,
}: Pick<Embedded, 'redis' | 'clickhouse' | 'rows'> & {
  stripe: LocalStripe;
  files: string[];
}): Promise<Stores> {
  const stores: Record<string, string> = { 'Stripe: state': stripe.snapshot() };
  for (const file of files) if (existsSync(file)) stores[`file: ${file}`] = readFileSync(file, 'utf8');
  for (const key of await (redis as Redis).keys('*'))
    stores[`Redis: ${key}`] = `${key} ${JSON.stringify(await heldBy(redis as Redis, key))}`;
  const tables = await rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine != 'MaterializedView'`,
  );
  for (const { name } of tables) {
    const result = await clickhouse.query({ query: `SELECT * FROM \`${name}\``, format: 'JSONEachRow' });
    stores[`ClickHouse: ${name}`] = JSON.stringify(await result.json());
  }
  return stores;
}

async function heldBy(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1', 'WITHSCORES');
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      // It expired since it was listed.
      return undefined;
    default:
      throw new Error(`nobody reads a ${type}: ${key}`);
  }
}

/** Where words are found; nothing for those that are nowhere. */
export function found(stores: Stores, words: readonly string[]): Record<string, string[]> {
  const places = words.map((word): [string, string[]] => [
    word,
    Object.keys(stores).filter((place) => stores[place]?.includes(word)),
  ]);
  return Object.fromEntries(places.filter(([, where]) => where.length > 0));
}
