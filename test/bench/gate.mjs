// The quota gate: against its own script called bare, against rate-limiter-flexible, and three windows against one.
import { redisQuotaGate } from 'meterbridge';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { withEngine } from './engine.mjs';
import { pairs, seconds } from './pairs.mjs';

export const names = ['gate.vs_script', 'gate.vs_rate_limiter_flexible', 'gate.three_vs_one'];

const CHECKS = 10_000;
const now = new Date('2025-11-15T12:00:00Z');
const limits = { queries: 1_000_000_000, tokens: 1_000_000_000 };
const tenantOf = (n) => `tenant-${n % 1_000}`;

/** Seconds of so many checks with so many under way. */
const timed = (check, inFlight) => () =>
  seconds(async () => {
    let next = 0;
    const lane = async () => {
      while (next < CHECKS) {
        next += 1;
        await check(next);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  });

/** The windows' decision in one script, as often as there are windows. */
const ONE_SCRIPT = `
local used, refused = {}, 0
for i, key in ipairs(KEYS) do
  local limit, amount = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  used[i] = tonumber(redis.call('GET', key) or '0')
  if refused == 0 and used[i] + amount > limit then refused = i end
end
if refused == 0 then
  for i, key in ipairs(KEYS) do used[i] = redis.call('INCRBY', key, tonumber(ARGV[2 * i])) end
end
return {refused, unpack(used)}
`;

export async function run(report) {
  await withEngine(async ({ redis }) => {
    if (redis.mode === 'off') throw new Error(redis.skip);
    const client = redis.client;
    const gate = redisQuotaGate(client);
    const checked = (n) =>
      gate.reserve({ tenantId: tenantOf(n), amounts: { queries: 1, tokens: 100 }, limits, now });
    const args = [86_400_000, limits.queries, 1, limits.tokens, 100];
    const bare = (n) => client.reserveQuota(1, `meterbridge:quota:{${tenantOf(n)}}:2025-11-15`, ...args);
    for (const inFlight of [1, 50]) {
      const { b, ratio } = await pairs(timed(bare, inFlight), timed(checked, inFlight));
      report({
        name: 'gate.vs_script',
        value: CHECKS / b,
        unit: 'checks/s',
        against: `the bare script, ${inFlight} in flight`,
        ratio,
      });
    }
    const limiter = new RateLimiterRedis({ storeClient: client, points: 1_000_000_000, duration: 86_400 });
    for (const inFlight of [1, 50]) {
      const { b, ratio } = await pairs(
        timed((n) => limiter.consume(tenantOf(n)), inFlight),
        timed(checked, inFlight),
      );
      report({
        name: 'gate.vs_rate_limiter_flexible',
        value: CHECKS / b,
        unit: 'checks/s',
        against: `the library, ${inFlight} in flight`,
        ratio,
      });
    }
    client.defineCommand('windows', { lua: ONE_SCRIPT });
    const windows = (count) => (n) => {
      const keys = Array.from({ length: count }, (_, index) => `bench:{${tenantOf(n)}}:${index}`);
      return client.windows(count, ...keys, ...keys.flatMap(() => [1_000_000_000, 1]));
    };
    const { a, ratio } = await pairs(timed(windows(3), 50), timed(windows(1), 50));
    report({
      name: 'gate.three_vs_one',
      value: CHECKS / a,
      unit: 'checks/s',
      against: 'one window, 50 in flight, times the time',
      ratio,
    });
  });
}
