import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeBatch } from '../../src/metering/encode-batch.js';
import { UsageTracker } from '../../src/metering/tracker.js';
import { eventsIn, idOf, NOW } from '../support/events.js';
import { insertingClient } from '../support/inserting-client.js';

vi.mock('../../src/metering/encode-batch.js', { spy: true });

/** Batches as they were cut: ids in order. */
const cut = () => vi.mocked(encodeBatch).mock.calls.map(([id]) => id);

let folder: string;
let fallbackFile: string;
beforeEach(() => {
  vi.mocked(encodeBatch).mockClear();
  folder = mkdtempSync(join(tmpdir(), 'ahead-'));
  fallbackFile = join(folder, 'deep', 'fallback.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A client whose first insert fails on demand; notes the batches and events of all others. */
function failingOnce() {
  const stored: { id: string; events: string[] }[] = [];
  let fail: () => void = () => undefined;
  const failure = new Promise<void>((_, reject) => {
    fail = () => reject(new Error('away'));
  });
  let calls = 0;
  const client = insertingClient(({ id, events }) => {
    calls += 1;
    return calls === 1 ? failure : stored.push({ id, events: events.map(({ event_id }) => event_id) });
  });
  return { stored, fail, calls: () => calls, client };
}

const TOTAL = 125_000;
const ids = Array.from({ length: TOTAL }, (_, index) => idOf(index));
/** A tracker whose first insert hangs while the second batch was cut already. */
const hanging = async ({ client, calls }: ReturnType<typeof failingOnce>) => {
  const tracker = new UsageTracker(client, {
    fallbackFile,
    batchSize: 2 * TOTAL,
    maxBuffered: 2 * TOTAL,
    flushIntervalMs: 60_000,
    now: () => NOW,
  });
  for (const eventId of ids) tracker.track({ tenantId: 'acme-corp', eventId });
  const flushed = tracker.flush();
  await vi.waitUntil(() => calls() === 1 && cut().length === 2, { timeout: 30_000 });
  return { tracker, flushed };
};

describe('a batch cut while the engine works', () => {
  it('goes to the file behind the one that failed, under its id, and then each is stored once', async () => {
    const engine = failingOnce();
    const { tracker, flushed } = await hanging(engine);
    engine.fail();
    await flushed;
    expect(tracker.stats()).toMatchObject({ buffered: 0, fellBack: TOTAL, onDisk: TOTAL, failures: 1 });
    const text = readFileSync(fallbackFile, 'utf8');
    expect(Array.from(text.matchAll(/^\{"batch":"([^"]*)"/gm), ([, id]) => id)).toEqual(cut());
    expect(eventsIn(text).map(({ event_id }) => event_id)).toEqual(ids);

    await tracker.close();
    expect(engine.stored.map(({ id, events }) => [id, events.length])).toEqual([
      [cut()[0], 50_000],
      [cut()[1], 50_000],
      [cut()[2], 25_000],
    ]);
    expect(engine.stored.flatMap(({ events }) => events)).toEqual(ids);
    expect(tracker.stats()).toMatchObject({ stored: TOTAL, onDisk: 0 });
  });

  it('waits in memory when the disk refuses too, and goes behind the other the next time', async () => {
    writeFileSync(dirname(fallbackFile), 'no folder');
    const engine = failingOnce();
    const { tracker, flushed } = await hanging(engine);
    engine.fail();
    await expect(flushed).rejects.toThrow(`Cannot store ${TOTAL} events: `);
    expect(tracker.stats()).toMatchObject({ buffered: TOTAL, fellBack: 0, stored: 0 });

    rmSync(dirname(fallbackFile));
    tracker.track({ tenantId: 'acme-corp', eventId: idOf(TOTAL) });
    await tracker.close();
    expect(engine.stored.map(({ id, events }) => [id, events.length])).toEqual([
      [cut()[0], 50_000],
      [cut()[1], 50_000],
      [cut()[2], 25_001],
    ]);
    expect(engine.stored.flatMap(({ events }) => events)).toEqual([...ids, idOf(TOTAL)]);
    expect(tracker.stats()).toMatchObject({ stored: TOTAL + 1, buffered: 0, onDisk: 0 });
  });
});
