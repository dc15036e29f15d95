import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageTracker } from '../../src/metering/tracker.js';
import type { UsageTrackerOptions } from '../../src/metering/tracker-options.js';
import { eventsIn, NOW } from '../support/events.js';
import { insertingClient } from '../support/inserting-client.js';

let folder: string;
let fallbackFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refusing-'));
  fallbackFile = join(folder, 'deep', 'fallback.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A disk that takes nothing: a file stands where the folder should be. */
const refuseDisk = () => writeFileSync(dirname(fallbackFile), 'no folder');
const mendDisk = () => rmSync(dirname(fallbackFile));
/** A client that notes how many events each insert had, and refuses while it is away. */
function clientOf() {
  const state = { away: false, inserts: [] as number[] };
  const client = insertingClient(({ events }) => {
    if (state.away) throw new Error('away');
    state.inserts.push(events.length);
  });
  return { state, client };
}
/** A client whose inserts hang until they are cut. */
function hangingClient() {
  let cut: () => void = () => undefined;
  let calls = 0;
  const hanging = new Promise<void>((_, reject) => {
    cut = () => reject(new Error('cut'));
  });
  const client = insertingClient(() => {
    calls += 1;
    return hanging;
  });
  const called = async () => {
    while (calls === 0) await new Promise(setImmediate);
  };
  return { cut, called, client };
}
const trackerOf = (client: ClickHouseClient | undefined, options: Partial<UsageTrackerOptions> = {}) =>
  new UsageTracker(client, {
    fallbackFile,
    writeAhead: true,
    flushIntervalMs: 60_000,
    now: () => NOW,
    ...options,
  });
const track = (tracker: UsageTracker, times: number) => {
  for (let time = 1; time <= times; time += 1) tracker.track({ tenantId: 'acme-corp' });
};

describe('write-ahead on a disk that refuses', () => {
  it('stores events without it, says why, and confirms what is stored', async () => {
    refuseDisk();
    const { state, client } = clientOf();
    const tracker = trackerOf(client);
    track(tracker, 3);
    await tracker.durable();
    expect(state.inserts).toEqual([3]);
    expect(tracker.stats()).toMatchObject({ stored: 3, buffered: 0, onDisk: 0 });
    expect(tracker.stats().diskFailures).toBeGreaterThan(0);
    expect(tracker.stats().diskError).toMatch(/EEXIST|ENOTDIR/);
    mendDisk();
    track(tracker, 1);
    await tracker.durable();
    expect(tracker.stats()).toMatchObject({ diskError: undefined, fellBack: 1 });
    await tracker.close();
  });

  it('keeps the memory empty while ClickHouse takes all', async () => {
    refuseDisk();
    const { client } = clientOf();
    const tracker = trackerOf(client, { batchSize: 100, maxBuffered: 1_000 });
    for (let round = 1; round <= 20; round += 1) {
      track(tracker, 250);
      await tracker.flush();
    }
    expect(tracker.stats()).toMatchObject({ tracked: 5_000, stored: 5_000, buffered: 0 });
    expect(tracker.isFull).toBe(false);
    await tracker.close();
  });

  it('confirms nothing while ClickHouse refuses too, drops nothing, and says when memory is full', async () => {
    refuseDisk();
    const { state, client } = clientOf();
    state.away = true;
    const tracker = trackerOf(client, { maxBuffered: 10 });
    track(tracker, 9);
    await expect(tracker.durable()).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect(tracker.isFull).toBe(false);
    track(tracker, 1);
    await expect(tracker.durable()).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect([tracker.isFull, tracker.stats().buffered]).toEqual([true, 10]);
    state.away = false;
    await tracker.durable();
    expect([tracker.isFull, tracker.stats().buffered]).toEqual([false, 0]);
    expect(state.inserts.reduce((sum, count) => sum + count)).toBe(10);
    await tracker.close();
  });

  it('confirms nothing that is still on its way to ClickHouse', async () => {
    refuseDisk();
    const { client, called, cut } = hangingClient();
    const tracker = trackerOf(client);
    track(tracker, 2);
    const first = tracker.durable();
    await called();
    mendDisk();
    const second = tracker.durable();
    track(tracker, 2);
    const third = tracker.durable();
    let confirmed = 0;
    for (const one of [first, second, third]) void one.then(() => (confirmed += 1));
    while (tracker.stats().onDisk < 2) await new Promise(setImmediate);
    expect([confirmed, tracker.stats().buffered]).toEqual([0, 2]);
    cut();
    await Promise.all([first, second, third]);
    expect(tracker.stats()).toMatchObject({ onDisk: 4, buffered: 0 });
    await tracker.close();
  });
});

describe('write-ahead under load', () => {
  it('sends while new events come as fast as the disk takes them', async () => {
    const { state, client } = clientOf();
    const tracker = trackerOf(client, { batchSize: 10 });
    while (state.inserts.length === 0) {
      track(tracker, 20);
      await new Promise(setImmediate);
    }
    await tracker.close();
    expect(tracker.stats()).toMatchObject({ stored: tracker.stats().tracked, onDisk: 0, buffered: 0 });
  });
});

describe('durable()', () => {
  it('has calls at the same time share a write', async () => {
    const tracker = trackerOf(undefined);
    await Promise.all(
      Array.from({ length: 50 }, () => {
        track(tracker, 1);
        return tracker.durable();
      }),
    );
    const text = readFileSync(fallbackFile, 'utf8');
    expect([eventsIn(text).length, text.match(/^\{"batch"/gm)?.length]).toEqual([50, 1]);
    await tracker.close();
  });

  it('refuses while another tracker has the file and ClickHouse is away, and names the file', async () => {
    const [first, second] = [trackerOf(undefined), trackerOf(undefined)];
    track(first, 1);
    await first.durable();
    track(second, 1);
    await expect(second.durable()).rejects.toThrow(
      `Cannot open ${fallbackFile}: another tracker has it open`,
    );
    await first.close();
    await second.close();
    expect(eventsIn(readFileSync(fallbackFile, 'utf8'))).toHaveLength(2);
  });
});

describe('stats()', () => {
  it('has the oldest event that is not stored, wherever it is', async () => {
    let now = NOW.getTime();
    const { client, called, cut } = hangingClient();
    const tracker = trackerOf(client, {
      writeAhead: false,
      maxBuffered: 3,
      now: () => new Date(now),
    });
    track(tracker, 1);
    const flushed = tracker.flush();
    await called();
    now += 1_000;
    track(tracker, 3);
    while (tracker.stats().onDisk < 3) await new Promise(setImmediate);
    now += 1_000;
    track(tracker, 1);
    expect(tracker.stats()).toMatchObject({ oldest: NOW.getTime(), buffered: 2, onDisk: 3 });
    cut();
    await flushed;
    await tracker.close();
    expect(tracker.stats()).toMatchObject({ oldest: NOW.getTime(), buffered: 0, onDisk: 5 });
  });

  it('has the age of the first batch on the disk, not of the last', async () => {
    let now = NOW.getTime();
    const tracker = trackerOf(undefined, { now: () => new Date(now) });
    for (let batch = 1; batch <= 3; batch += 1) {
      track(tracker, 1);
      await tracker.durable();
      now += 1_000;
    }
    expect(tracker.stats().oldest).toBe(NOW.getTime());
    await tracker.close();
  });
});
