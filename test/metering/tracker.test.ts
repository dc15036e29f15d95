import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidInputError, UnknownModelError } from '../../src/errors.js';
import { FallbackFile } from '../../src/metering/fallback-file.js';
import { UsageTracker, type UsageTrackerOptions } from '../../src/metering/tracker.js';
import { NOW } from '../support/events.js';

/** A client that notes how many events each insert had. */
function countingClient() {
  const inserts: number[] = [];
  let first: () => void = () => undefined;
  const called = new Promise<void>((resolve) => {
    first = resolve;
  });
  const command = async ({ query }: { query: string }) => {
    inserts.push(query.match(/"event_id"/g)?.length ?? 0);
    first();
  };
  return { inserts, called, client: { command } as unknown as ClickHouseClient };
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tracker-'));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const trackerOf = (client?: ClickHouseClient, options: Partial<UsageTrackerOptions> = {}) =>
  new UsageTracker(client, { fallbackFile: join(folder, 'fallback.jsonl'), now: () => NOW, ...options });
const track = (tracker: UsageTracker, times = 1) => {
  for (let time = 1; time <= times; time += 1) tracker.track({ tenantId: 'acme-corp' });
};

describe('track()', () => {
  it('returns the event, with its id, time and cost', () => {
    const tracker = trackerOf();
    const event = tracker.track({
      tenantId: 'acme-corp',
      model: 'gpt-4o',
      tokensInput: 170,
      tokensOutput: 12,
    });
    expect([event.cost_usd, event.timestamp, event.created_at]).toEqual([
      '0.00165400',
      NOW.getTime(),
      NOW.getTime(),
    ]);
    return tracker.close();
  });

  it('sends when the batch is full, and not before', async () => {
    const { client, inserts, called } = countingClient();
    const tracker = trackerOf(client, { batchSize: 3 });
    track(tracker, 2);
    expect(inserts).toEqual([]);
    track(tracker);
    await called;
    expect(inserts).toEqual([3]);
    await tracker.close();
  });

  it('sends a hundred by default', async () => {
    const { client, inserts, called } = countingClient();
    const tracker = trackerOf(client);
    track(tracker, 100);
    await called;
    expect(inserts).toEqual([100]);
    await tracker.close();
  });

  it('sends after the interval, and not a millisecond before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, inserts, called } = countingClient();
    const tracker = trackerOf(client);
    track(tracker, 2);
    vi.advanceTimersByTime(999);
    expect([inserts, vi.getTimerCount()]).toEqual([[], 1]);
    vi.advanceTimersByTime(1);
    await called;
    expect(inserts).toEqual([2]);
    await tracker.close();
  });

  it('never waits: a client that does not answer holds nothing up', () => {
    const hanging = { command: () => new Promise(() => undefined) } as unknown as ClickHouseClient;
    const tracker = trackerOf(hanging, { batchSize: 1 });
    track(tracker, 1_000);
    return expect(tracker.stats()).resolves.toMatchObject({ tracked: 1_000 });
  });

  it('refuses what the caller got wrong, and keeps nothing of it', async () => {
    const tracker = trackerOf();
    expect(() => tracker.track({ tenantId: 'A B' })).toThrow(InvalidInputError);
    expect(() => tracker.track({ tenantId: 'a', model: 'gpt-5' })).toThrow(UnknownModelError);
    expect(await tracker.stats()).toMatchObject({ tracked: 0, buffered: 0 });
  });

  it('refuses after close()', async () => {
    const tracker = trackerOf();
    await tracker.close();
    expect(() => track(tracker)).toThrow('Cannot track event: the tracker is closed');
  });
});

describe('flush()', () => {
  it('takes all that waits, at most 10,000 in one insert', async () => {
    const { client, inserts } = countingClient();
    const tracker = trackerOf(client, { batchSize: 50_000 });
    track(tracker, 25_000);
    await tracker.flush();
    expect(inserts).toEqual([10_000, 10_000, 5_000]);
  });

  it('sends nothing when nothing waits', async () => {
    const { client, inserts } = countingClient();
    await trackerOf(client).flush();
    expect(inserts).toEqual([]);
  });

  it('is content when an event comes while it ends', async () => {
    const { client } = countingClient();
    const tracker = trackerOf(client);
    vi.spyOn(FallbackFile.prototype, 'size')
      .mockResolvedValueOnce(0)
      .mockImplementationOnce(async () => {
        track(tracker);
        return 0;
      });
    track(tracker);
    await tracker.flush();
    expect(await tracker.stats()).toMatchObject({ stored: 1, buffered: 1 });
    await tracker.close();
  });

  it('tries once for all events that came at once, not once for each', async () => {
    const tracker = trackerOf(undefined, { batchSize: 10 });
    track(tracker, 1_000);
    await tracker.flush();
    expect(await tracker.stats()).toMatchObject({ fellBack: 1_000, failures: 1 });
  });

  it('may be called many times at once', async () => {
    const { client, inserts } = countingClient();
    const tracker = trackerOf(client);
    track(tracker, 5);
    await Promise.all([tracker.flush(), tracker.flush(), tracker.close()]);
    expect(inserts).toEqual([5]);
  });
});

describe('after a failure', () => {
  it('tries again after the interval, without a new event', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, inserts, called } = countingClient();
    const { command } = client;
    client.command = () => Promise.reject(new Error('away'));
    const tracker = trackerOf(client);
    track(tracker, 2);
    await tracker.flush();
    client.command = command;
    vi.advanceTimersByTime(1_000);
    await called;
    await tracker.close();
    expect(inserts).toEqual([2]);
  });
});

describe('close()', () => {
  it('leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const failing = { command: () => Promise.reject(new Error('away')) } as unknown as ClickHouseClient;
    const tracker = trackerOf(failing);
    track(tracker);
    await Promise.all([tracker.flush(), tracker.close()]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('stats()', () => {
  it('counts what was stored', async () => {
    const { client } = countingClient();
    const tracker = trackerOf(client, { batchSize: 10 });
    track(tracker, 3);
    expect(await tracker.stats()).toMatchObject({ tracked: 3, buffered: 3, stored: 0, batches: 0 });
    await tracker.flush();
    track(tracker);
    expect(await tracker.stats()).toEqual({
      tracked: 4,
      buffered: 1,
      stored: 3,
      fellBack: 0,
      batches: 1,
      failures: 0,
      fallbackBytes: 0,
      lastError: undefined,
    });
    await tracker.close();
  });

  it('says why events fell back', async () => {
    const tracker = trackerOf();
    track(tracker);
    await tracker.close();
    expect(await tracker.stats()).toMatchObject({ fellBack: 1, failures: 1, lastError: 'ClickHouse is off' });
  });
});

describe('new UsageTracker()', () => {
  it.each([
    [{ batchSize: 0 }, 'batchSize must be a whole number from 1 to 2147483647, current value is 0'],
    [{ batchSize: 1.5 }, 'batchSize must be a whole number from 1 to 2147483647, current value is 1.5'],
    [{ batchSize: NaN }, 'batchSize must be a whole number from 1 to 2147483647, current value is NaN'],
    [
      { flushIntervalMs: -1 },
      'flushIntervalMs must be a whole number from 1 to 2147483647, current value is -1',
    ],
    [
      { flushIntervalMs: Infinity },
      'flushIntervalMs must be a whole number from 1 to 2147483647, current value is Infinity',
    ],
  ])('refuses %o', (options, problem) => {
    expect(() => trackerOf(undefined, options)).toThrow(new RangeError(`Cannot make tracker: ${problem}`));
  });
});
