// Moves the lifecycle log, or asks `count` times at once to upgrade one tenant and prints as JSON how many
// won and what the others were told; on a Redis and a ClickHouse of somebody else. Argument: JSON of
// { port, password, clickhouseUrl } and { tenantId, now, count, by } or { move: true }. Waits for a line on
// stdin, so that all workers begin together.
import { once } from 'node:events';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Redis } from 'ioredis';
import { TenantLifecycle } from '../../.build/tenants/lifecycle.js';

const { port, password, clickhouseUrl, move, tenantId, now = 0, count, by } = JSON.parse(process.argv[2]);
const redis = new Redis({ host: '127.0.0.1', port, password });
const clickhouse = createClient({ url: clickhouseUrl, log: { level: ClickHouseLogLevel.OFF } });
const lifecycle = await TenantLifecycle.open(redis, clickhouse, { now: () => new Date(now) });
const request = { tenantId, event: 'upgrade', plan: 'pro', by };
await redis.ping();
console.log('ready');
await once(process.stdin, 'data');
if (move) await lifecycle.moveLog();
const asked = await Promise.allSettled(
  Array.from({ length: count ?? 0 }, () => lifecycle.transition(request)),
);
const won = asked.flatMap(({ value }) => value ?? []);
const refused = asked.flatMap(({ reason }) => reason ?? []);
console.log(
  JSON.stringify({
    won: won.map(({ version, by }) => ({ version, by })),
    refused: refused.map(({ name, message, state, version, changed }) => ({
      ...{ name, message, state, version, changed },
    })),
  }),
);
await clickhouse.close();
redis.disconnect();
process.exit();
