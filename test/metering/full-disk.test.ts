import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EventInput } from '../../src/metering/event-input.js';
import { UsageTracker } from '../../src/metering/tracker.js';
import { countsOf, type Embedded, openEmbedded } from '../support/embedded.js';
import { eventsIn, idOf, NOW } from '../support/events.js';
import { emptyUsage } from '../support/fronted.js';
import { trackingChild } from '../support/tracking-child.js';

let engine: Embedded;
let folder: string;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'disk-'));
  await emptyUsage(engine);
});
afterEach(() => rmSync(folder, { recursive: true }));

const everywhere = (counts: string) => ({ events: counts, hourly: counts, daily: counts });
/** Each takes 137 bytes in the file. */
const eventsOf = (from: number, to: number): EventInput[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    tenantId: 'acme-corp',
    eventId: idOf(from + index),
    model: 'gpt-4o',
    tokensInput: 100,
    tokensOutput: 10,
  }));
const trackerOf = (fallbackFile: string, client = false, writeAhead = false) =>
  new UsageTracker(client ? engine.clickhouse : undefined, {
    fallbackFile,
    writeAhead,
    flushIntervalMs: 60_000,
    maxBuffered: 100,
    batchSize: 1_000,
    now: () => NOW,
  });
const replayed = async (fallbackFile: string) => {
  const tracker = trackerOf(fallbackFile, true);
  await tracker.close();
  return { quarantined: tracker.stats().quarantined, ...(await countsOf(engine)) };
};

/** As a disk does, a limit on the file's size takes the part of a write that still fits, and then refuses. */
describe('a fallback file that may not grow', () => {
  it('is told by durable(), holds no half batch, and takes all when there is room', async () => {
    const fallbackFile = join(folder, 'fallback.jsonl');
    const child = await trackingChild({ fallbackFile, fileSizeKb: 4, flushIntervalMs: 60_000 });
    expect((await child.track(eventsOf(1, 10)))?.problem).toBeUndefined();
    const { size } = statSync(fallbackFile);
    const refused = await child.track(eventsOf(11, 40));
    expect(refused?.problem).toBe('EFBIG: file too large, write');
    expect(refused?.stats).toMatchObject({ buffered: 30, onDisk: 10, fellBack: 10 });
    expect(statSync(fallbackFile).size).toBe(size);

    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
    expect((await child.track(eventsOf(41, 50)))?.problem).toBeUndefined();
    await child.kill();
    expect(await replayed(fallbackFile)).toEqual({ quarantined: 0, ...everywhere('50 0.07100000') });
  });
});

const mayMount = (() => {
  const place = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', [place]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true });
  }
})();

describe.skipIf(!mayMount)('a full disk', () => {
  let disk: string;
  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk]);
  });
  afterEach(() => {
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true });
  });
  const grow = () => execFileSync('mount', ['-o', 'remount,size=1m', disk]);

  it.each([false, true])(
    'keeps what it has no room for, until there is room (write-ahead %s)',
    async (ahead) => {
      const fallbackFile = join(disk, 'fallback.jsonl');
      const tracker = trackerOf(fallbackFile, false, ahead);
      for (const event of eventsOf(1, 20)) tracker.track(event);
      await tracker.flush();
      const { size } = statSync(fallbackFile);
      for (const event of eventsOf(21, 80)) tracker.track(event);
      await expect(tracker.flush()).rejects.toThrow(
        'Cannot store 60 events: ENOSPC: no space left on device, write',
      );
      expect(tracker.stats()).toMatchObject({ buffered: 60, onDisk: 20 });
      expect(statSync(fallbackFile).size).toBe(size);
      grow();
      await tracker.close();
      expect(await replayed(fallbackFile)).toEqual({ quarantined: 0, ...everywhere('80 0.11360000') });
    },
  );

  it('sends what memory had no room for and the disk did not take', async () => {
    const fallbackFile = join(disk, 'fallback.jsonl');
    const tracker = trackerOf(fallbackFile, true);
    for (const event of eventsOf(1, 100)) tracker.track(event);
    while (tracker.stats().lastError === undefined) await new Promise(setImmediate);
    expect(tracker.stats()).toMatchObject({
      buffered: 100,
      lastError: 'ENOSPC: no space left on device, write',
    });
    for (const event of eventsOf(101, 110)) tracker.track(event);
    await tracker.close();
    expect(tracker.stats()).toMatchObject({ stored: 110, buffered: 0, fellBack: 0 });
    expect(await countsOf(engine)).toEqual(everywhere('110 0.15620000'));
  });
});

describe('a folder that cannot be written', () => {
  it('is named in the error, and nothing is lost', async () => {
    writeFileSync(join(folder, 'file'), 'no folder');
    const fallbackFile = join(folder, 'file', 'fallback.jsonl');
    const tracker = trackerOf(fallbackFile, false, true);
    for (const event of eventsOf(1, 3)) tracker.track(event);
    await expect(tracker.durable()).rejects.toThrow(/(EEXIST|ENOTDIR).*fallback|(EEXIST|ENOTDIR).*file/);
    expect(tracker.stats()).toMatchObject({ buffered: 3, onDisk: 0 });
    rmSync(join(folder, 'file'));
    await tracker.durable();
    expect(eventsIn(readFileSync(fallbackFile, 'utf8'))).toHaveLength(3);
    await tracker.close();
  });

  it.skipIf(process.getuid?.() === 0)('is named in the error when it is read-only', async () => {
    chmodSync(folder, 0o500);
    const tracker = trackerOf(join(folder, 'fallback.jsonl'), false, true);
    for (const event of eventsOf(1, 3)) tracker.track(event);
    await expect(tracker.durable()).rejects.toThrow(
      `EACCES: permission denied, open '${folder}/fallback.jsonl.lock'`,
    );
    chmodSync(folder, 0o700);
    await tracker.close();
    expect(tracker.stats()).toMatchObject({ buffered: 0, onDisk: 3 });
  });
});
