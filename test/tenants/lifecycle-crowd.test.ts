import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateRedis } from '../../src/services/private-redis.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { type Fronted, openFronted } from '../support/fronted.js';
import { BEGINNING, lifecycleBench, TO } from '../support/lifecycle.js';
import { lifecycleWorker } from '../support/lifecycle-worker.js';
import { openPrivateRedis } from '../support/private-redis.js';

let redis: PrivateRedis;
let engine: Fronted;
beforeAll(async () => {
  [redis, engine] = [await openPrivateRedis(), await openFronted()];
});
afterAll(async () => {
  await engine.close();
  await redis.close();
});

interface Told {
  readonly won: { version: number; by: string }[];
  readonly refused: { name: string; message: string; state: string; version: number; changed: boolean }[];
}

/** Has each of four processes ask 125 times at once. */
async function crowd(tenantId: string, now: string): Promise<Told> {
  const place = { redis, url: engine.front.url };
  const workers = await Promise.all(
    [1, 2, 3, 4].map((number) =>
      lifecycleWorker(place, { tenantId, now, count: 125, by: `worker-${number}` }),
    ),
  );
  for (const worker of workers) worker.go();
  const told = (await Promise.all(workers.map(({ line }) => line()))).map((line) => JSON.parse(line) as Told);
  await Promise.all(workers.map(({ ended }) => ended()));
  return { won: told.flatMap(({ won }) => won), refused: told.flatMap(({ refused }) => refused) };
}

describe('500 transitions of one tenant, asked at once by four processes', () => {
  it.each([
    ['a tenant that is free', 'acme-corp', BEGINNING, ['4 upgrade']],
    [
      'one whose worker is overdue',
      'beta-inc',
      '2025-11-15T12:15:00.000Z',
      ['4 upgrade', '5 expire', '6 upgrade'],
    ],
  ])('of %s: one wins, 499 hear of the state, the log has each once', async (_, tenantId, now, logged) => {
    const { lifecycle, walk } = await lifecycleBench({ redis: redis.client, clickhouse: engine.clickhouse });
    await walk(tenantId, ...(logged.length > 1 ? TO.upgrading : TO.active));
    const { won, refused } = await crowd(tenantId, now);
    const version = 3 + logged.length;
    expect(won).toMatchObject([{ version }]);
    expect(refused).toHaveLength(499);
    const stands = `it is upgrading at version ${version}, where complete, fail may follow`;
    expect(new Set(refused.map(({ message }) => message.replace('it was changed meanwhile; ', '')))).toEqual(
      new Set([`Cannot upgrade ${tenantId}: ${stands}`]),
    );
    expect(refused.every(({ state, version: seen }) => state === 'upgrading' && seen === version)).toBe(true);
    // At least the winner's own process had looked before: those were refused by the script, not by the table.
    if (logged.length === 1) expect(refused.filter(({ changed }) => changed).length).toBeGreaterThan(123);
    await lifecycle.moveLog();
    const log = await readLifecycleLog(engine.clickhouse, tenantId);
    expect(log.slice(3).map((entry) => `${entry.version} ${entry.event}`)).toEqual(logged);
    expect(log.at(-1)?.by).toBe(won[0]?.by);
    expect(await lifecycle.read(tenantId)).toEqual(log.at(-1));
  });
});
