import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeBatch } from '../../src/metering/encode-batch.js';
import { insertBatch } from '../../src/metering/insert-batch.js';
import { UsageTracker } from '../../src/metering/tracker.js';
import type { UsageTrackerOptions } from '../../src/metering/tracker-options.js';
import type { Fault } from '../support/clickhouse-front.js';
import { countsOf } from '../support/embedded.js';
import { eventOf, NOW } from '../support/events.js';
import { emptyUsage, type Fronted, openFronted } from '../support/fronted.js';

let engine: Fronted;
let fallbackFile: string;
beforeAll(async () => {
  engine = await openFronted({ password: 'right' });
});
afterAll(() => engine.close());
beforeEach(async () => {
  fallbackFile = join(engine.folder, `${randomUUID()}.jsonl`);
  engine.front.faults.length = 0;
  engine.front.release();
  await emptyUsage(engine);
});

const trackerOf = (client = engine.clickhouse, options: Partial<UsageTrackerOptions> = {}) =>
  new UsageTracker(client, { fallbackFile, flushIntervalMs: 60_000, now: () => NOW, ...options });
const track = (tracker: UsageTracker, times: number) => {
  for (let time = 1; time <= times; time += 1) {
    tracker.track({ tenantId: 'acme-corp', model: 'gpt-4o', tokensInput: 100, tokensOutput: 10 });
  }
};
const everywhere = (counts: string) => ({ events: counts, hourly: counts, daily: counts });
const rowsStored = async () =>
  (await engine.rows<{ n: number }>('SELECT count() AS n FROM usage_events'))[0]?.n;

/** What may go wrong, whether the events were stored then, and what the tracker says. */
const FAULTS: readonly (readonly [Fault, stored: number, problem: RegExp])[] = [
  ['refuse', 0, /socket hang up|ECONNRESET/],
  ['500', 0, /fault on demand\./],
  ['500-after-storing', 3, /fault on demand after storing/],
  ['cut-after-storing', 3, /aborted|socket hang up|ECONNRESET|terminated/],
  ['slow', 3, /Timeout error/],
];

describe('insertBatch() over a bad line', () => {
  it.each(FAULTS)('throws at %s, and stores the batch once when it comes again', async (fault, stored) => {
    const client = engine.client({ timeoutMs: 1_500 });
    const batch = await encodeBatch(randomUUID(), [eventOf(), eventOf(), eventOf()]);
    engine.front.faults.push(fault);
    await expect(insertBatch(client, batch)).rejects.toThrow();
    expect(await rowsStored()).toBe(stored);
    await insertBatch(client, batch);
    expect([await rowsStored(), await countsOf(engine)]).toEqual([3, everywhere('3 0.00426000')]);
  });
});

describe.each([{ writeAhead: false }, { writeAhead: true }])(
  'UsageTracker over a bad line, %o',
  (options) => {
    it.each(FAULTS)('keeps the events at %s, and stores them once', async (fault, stored, problem) => {
      const tracker = trackerOf(engine.client({ timeoutMs: 1_500 }), options);
      engine.front.faults.push(fault);
      track(tracker, 3);
      await tracker.flush();
      expect(tracker.stats()).toMatchObject({ stored: 0, onDisk: 3, buffered: 0, failures: 1 });
      expect(tracker.stats().lastError).toMatch(problem);
      expect(await rowsStored()).toBe(stored);

      track(tracker, 2);
      await tracker.close();
      expect(tracker.stats()).toMatchObject({ stored: 5, onDisk: 0, fallbackBytes: 0, failures: 1 });
      expect([await rowsStored(), await countsOf(engine)]).toEqual([5, everywhere('5 0.00710000')]);
    });

    it('stores once what fails in five ways, one after the other', async () => {
      const tracker = trackerOf(engine.client({ timeoutMs: 1_500 }), options);
      engine.front.faults.push(...FAULTS.map(([fault]) => fault));
      for (const _ of FAULTS) {
        track(tracker, 1);
        await tracker.flush();
      }
      expect(tracker.stats()).toMatchObject({ stored: 0, onDisk: 5, failures: 5 });
      await tracker.close();
      expect([await rowsStored(), await countsOf(engine)]).toEqual([5, everywhere('5 0.00710000')]);
    });

    it('keeps the events at a wrong password, without it in the file or the error', async () => {
      const tracker = trackerOf(engine.client({ password: 'secret-but-wrong' }), options);
      track(tracker, 3);
      await tracker.close();
      expect(tracker.stats()).toMatchObject({ onDisk: 3, stored: 0, quarantined: 0 });
      expect(tracker.stats().lastError).toMatch(/Authentication failed/);
      expect(tracker.stats().lastError + readFileSync(fallbackFile, 'utf8')).not.toContain(
        'secret-but-wrong',
      );
      await trackerOf().close();
      expect(await countsOf(engine)).toEqual(everywhere('3 0.00426000'));
    });

    it('tries again by itself', async () => {
      const tracker = trackerOf(engine.clickhouse, { ...options, flushIntervalMs: 5 });
      engine.front.faults.push('500', '500', '500-after-storing');
      track(tracker, 2);
      while (tracker.stats().stored < 2) await sleep(5);
      expect(tracker.stats()).toMatchObject({ failures: 3, onDisk: 0 });
      await tracker.close();
      expect([await rowsStored(), await countsOf(engine)]).toEqual([2, everywhere('2 0.00284000')]);
    });
  },
);

describe('close() while ClickHouse hangs', () => {
  it('ends with the client’s timeout, and has the events on the disk', async () => {
    const tracker = trackerOf(engine.client({ timeoutMs: 1_000 }));
    engine.front.faults.push('slow');
    track(tracker, 3);
    await tracker.close();
    expect(tracker.stats()).toMatchObject({ buffered: 0, onDisk: 3, lastError: 'Timeout error.' });
    expect(statSync(fallbackFile).size).toBe(tracker.stats().fallbackBytes);
    await trackerOf().close();
    expect([await rowsStored(), await countsOf(engine)]).toEqual([3, everywhere('3 0.00426000')]);
  });

  it('waits for a flush under way, and for what was tracked during it', async () => {
    const tracker = trackerOf(engine.client({ timeoutMs: 5_000 }), { batchSize: 3 });
    const before = engine.front.inserts();
    engine.front.faults.push('slow');
    track(tracker, 3);
    while (engine.front.inserts() === before) await sleep(1);
    track(tracker, 2);
    const closing = tracker.close();
    engine.front.release();
    while (tracker.stats().stored < 5) {
      engine.front.release();
      await sleep(1);
    }
    await closing;
    expect([await rowsStored(), await countsOf(engine)]).toEqual([5, everywhere('5 0.00710000')]);
  });
});
