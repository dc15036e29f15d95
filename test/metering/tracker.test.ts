import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidInputError, UnknownModelError } from '../../src/errors.js';
import { UsageTracker } from '../../src/metering/tracker.js';
import type { UsageTrackerOptions } from '../../src/metering/tracker-options.js';
import { NOW } from '../support/events.js';
import { insertingClient } from '../support/inserting-client.js';

/** A client that notes how many events each insert had. */
function countingClient() {
  const inserts: number[] = [];
  let first: () => void = () => undefined;
  const called = new Promise<void>((resolve) => {
    first = resolve;
  });
  const client = insertingClient(({ events }) => {
    inserts.push(events.length);
    first();
  });
  return { inserts, called, client };
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

  it('never waits: a client that does not answer holds nothing up', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const hanging = { command: () => answered } as unknown as ClickHouseClient;
    const tracker = trackerOf(hanging, { batchSize: 1 });
    track(tracker, 1_000);
    expect(tracker.stats()).toMatchObject({ tracked: 1_000, buffered: 1_000 });
    answer();
    await tracker.close();
  });

  it('refuses what the caller got wrong, and keeps nothing of it', async () => {
    const tracker = trackerOf();
    expect(() => tracker.track({ tenantId: 'A B' })).toThrow(InvalidInputError);
    expect(() => tracker.track({ tenantId: 'a', model: 'gpt-5' })).toThrow(UnknownModelError);
    expect(tracker.stats()).toMatchObject({ tracked: 0, buffered: 0 });
  });

  it('refuses after close()', async () => {
    const tracker = trackerOf();
    await tracker.close();
    expect(() => track(tracker)).toThrow('Cannot track event: the tracker is closed');
  });
});

describe('flush()', () => {
  it('takes all that waits, at most 50,000 in one insert', async () => {
    const { client, inserts } = countingClient();
    const tracker = trackerOf(client, { batchSize: 250_000, maxBuffered: 250_000 });
    track(tracker, 125_000);
    await tracker.close();
    expect(inserts).toEqual([50_000, 50_000, 25_000]);
  });

  it('sends nothing when nothing waits', async () => {
    const { client, inserts } = countingClient();
    await trackerOf(client).close();
    expect(inserts).toEqual([]);
  });

  it('leaves what comes while it sends to the next flush', async () => {
    const { client, inserts } = countingClient();
    const tracker = trackerOf(client);
    const { exec } = client;
    client.exec = (statement) => {
      if (inserts.length === 0) track(tracker, 2);
      return exec(statement);
    };
    track(tracker);
    await tracker.flush();
    expect(inserts).toEqual([1]);
    await tracker.flush();
    expect(inserts).toEqual([1, 2]);
    expect(tracker.stats()).toMatchObject({ stored: 3, buffered: 0, oldest: undefined });
    await tracker.close();
  });

  it('has a turn for each of two at once, and sends each event once', async () => {
    const { client, inserts } = countingClient();
    const tracker = trackerOf(client);
    track(tracker);
    const first = tracker.flush();
    await Promise.resolve();
    track(tracker, 2);
    await Promise.all([first, tracker.flush()]);
    expect(inserts.reduce((sum, count) => sum + count, 0)).toBe(3);
    await tracker.close();
  });

  it('tries once for all events that came at once, not once for each', async () => {
    const tracker = trackerOf(undefined, { batchSize: 10 });
    track(tracker, 1_000);
    await tracker.close();
    expect(tracker.stats()).toMatchObject({ fellBack: 1_000, failures: 1 });
  });

  it.each([
    ['an open file', true],
    ['a file not yet opened', false],
  ])('waits for what memory had no room for and is on its way to the disk: %s', async (_name, opened) => {
    const { client, inserts } = countingClient();
    const tracker = trackerOf(client, { maxBuffered: 2_500, batchSize: 10_000 });
    if (opened) await tracker.flush();
    track(tracker, 2_500);
    await tracker.flush();
    expect(tracker.stats()).toMatchObject({ fellBack: 2_500, buffered: 0, lastError: undefined });
    await tracker.close();
    expect(inserts).toEqual([2_500]);
  });

  it('sends what the disk refuses only after it was asked', async () => {
    writeFileSync(join(folder, 'file'), 'no folder');
    const { client, inserts } = countingClient();
    const tracker = trackerOf(client, {
      fallbackFile: join(folder, 'file', 'fallback.jsonl'),
      maxBuffered: 2_500,
      batchSize: 10_000,
    });
    track(tracker, 2_500);
    await tracker.flush();
    expect([inserts, tracker.stats().buffered]).toEqual([[2_500], 0]);
    await tracker.close();
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
    const { exec } = client;
    client.exec = () => Promise.reject(new Error('away'));
    const tracker = trackerOf(client);
    track(tracker, 2);
    await tracker.flush();
    client.exec = exec;
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
    expect(tracker.stats()).toMatchObject({ tracked: 3, buffered: 3, stored: 0, batches: 0 });
    await tracker.flush();
    track(tracker);
    expect(tracker.stats()).toEqual({
      tracked: 4,
      buffered: 1,
      stored: 3,
      fellBack: 0,
      batches: 1,
      failures: 0,
      diskFailures: 0,
      onDisk: 0,
      fallbackBytes: 0,
      quarantined: 0,
      oldest: NOW.getTime(),
      lastError: undefined,
      diskError: undefined,
    });
    await tracker.close();
  });

  it('says why events fell back', async () => {
    const tracker = trackerOf();
    track(tracker);
    await tracker.close();
    expect(tracker.stats()).toMatchObject({ fellBack: 1, failures: 1, lastError: 'ClickHouse is off' });
  });
});

describe('new UsageTracker()', () => {
  it.each([
    [{ batchSize: 0 }, 'batchSize must be a whole number from 1 to 2147483647, current value is 0'],
    [{ batchSize: 1.5 }, 'batchSize must be a whole number from 1 to 2147483647, current value is 1.5'],
    [{ batchSize: NaN }, 'batchSize must be a whole number from 1 to 2147483647, current value is NaN'],
    [{ maxBuffered: 0 }, 'maxBuffered must be a whole number from 1 to 2147483647, current value is 0'],
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
