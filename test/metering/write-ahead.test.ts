import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCostInvoice } from '../../src/invoices/cost-invoice.js';
import type { EventInput } from '../../src/metering/event-input.js';
import { UsageTracker } from '../../src/metering/tracker.js';
import type { UsageTrackerOptions } from '../../src/metering/tracker-options.js';
import { countsOf } from '../support/embedded.js';
import { eventsIn, idOf, NOW } from '../support/events.js';
import { emptyUsage, type Fronted, openFronted } from '../support/fronted.js';
import { trackingChild } from '../support/tracking-child.js';

let engine: Fronted;
let fallbackFile: string;
beforeAll(async () => {
  engine = await openFronted();
});
afterAll(() => engine.close());
beforeEach(async () => {
  fallbackFile = join(engine.folder, `${randomUUID()}.jsonl`);
  engine.front.faults.length = 0;
  await emptyUsage(engine);
});

const trackerOf = (client = true, options: Partial<UsageTrackerOptions> = {}) =>
  new UsageTracker(client ? engine.clickhouse : undefined, {
    fallbackFile,
    writeAhead: true,
    flushIntervalMs: 60_000,
    now: () => NOW,
    ...options,
  });
/** Events from one number to another, which cost $0.00142000 each. */
const eventsOf = (from: number, to: number): EventInput[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    tenantId: 'acme-corp',
    eventId: idOf(from + index),
    model: 'gpt-4o',
    tokensInput: 100,
    tokensOutput: 10,
  }));
const track = (tracker: UsageTracker, from: number, to: number) => {
  for (const event of eventsOf(from, to)) tracker.track(event);
};
const written = () => (existsSync(fallbackFile) ? eventsIn(readFileSync(fallbackFile, 'utf8')).length : 0);
const invoiced = async () => {
  const { invoice } = await makeCostInvoice(engine.clickhouse, { tenantId: 'acme-corp', month: '2025-11' });
  return `${invoice.total_queries} ${invoice.total_cost_usd}`;
};
/** What is stored, and the rows before copies are removed. */
const everything = async () => {
  const [rows] = await engine.rows<{ n: number }>('SELECT count() AS n FROM usage_events');
  return { ...(await countsOf(engine)), invoice: await invoiced(), rows: rows?.n };
};
const all = (rows: number, counts: string) => ({
  events: counts,
  hourly: counts,
  daily: counts,
  invoice: counts,
  rows,
});

describe('durable()', () => {
  it('returns when the events are in the file', async () => {
    const tracker = trackerOf();
    track(tracker, 1, 3);
    const durable = tracker.durable();
    expect(written()).toBe(0);
    await durable;
    expect(written()).toBe(3);
    expect(tracker.stats()).toMatchObject({ buffered: 0, onDisk: 3, fellBack: 3, stored: 0 });
    await tracker.close();
  });

  it('has what came before it in the file, whoever else asks', async () => {
    const tracker = trackerOf();
    for (let number = 1; number <= 20; number += 1) {
      track(tracker, number, number);
      void tracker.durable();
    }
    await tracker.durable();
    expect(written()).toBe(20);
    await tracker.close();
    expect(await everything()).toEqual(all(20, '20 0.02840000'));
  });

  it('returns when they are stored, without write-ahead', async () => {
    const tracker = trackerOf(true, { writeAhead: false });
    track(tracker, 1, 3);
    await tracker.durable();
    expect(await everything()).toEqual(all(3, '3 0.00426000'));
    await tracker.close();
  });

  it('leaves nothing in the file once all is stored', async () => {
    const tracker = trackerOf();
    track(tracker, 1, 3);
    await tracker.flush();
    expect([written(), tracker.stats().fallbackBytes, tracker.stats().stored]).toEqual([0, 0, 3]);
    await tracker.close();
  });
});

describe('a process killed after durable()', () => {
  it('has each event stored exactly once by the next, which needs no new event for it', async () => {
    const child = await trackingChild({ fallbackFile, flushIntervalMs: 60_000 });
    await child.track(eventsOf(1, 250));
    await child.kill();
    expect(await everything()).toMatchObject({ rows: 0 });

    const tracker = trackerOf(true, { flushIntervalMs: 1 });
    while (tracker.stats().stored < 250) await new Promise(setImmediate);
    await tracker.close();
    expect(await everything()).toEqual(all(250, '250 0.35500000'));
  });

  it.each(['500-after-storing', 'cut-after-storing', '500', 'refuse', 'slow'] as const)(
    'has each event stored exactly once, though it was at sending them: %s',
    async (fault) => {
      engine.front.faults.push(fault);
      const before = engine.front.inserts();
      const child = await trackingChild({ url: engine.front.url, fallbackFile, flushIntervalMs: 1 });
      await child.track(eventsOf(1, 20));
      await child.track(eventsOf(21, 40));
      await child.track(eventsOf(41, 60));
      while (engine.front.inserts() === before) await new Promise(setImmediate);
      await child.kill();
      engine.front.release();
      engine.front.faults.length = 0;

      await trackerOf().close();
      expect(await everything()).toEqual(all(60, '60 0.08520000'));
    },
  );
});

describe('past maxBuffered', () => {
  it('puts events on the disk, drops none, and stores them in order', async () => {
    const tracker = trackerOf(true, { writeAhead: false, maxBuffered: 50, batchSize: 1_000 });
    for (let number = 1; number <= 120; number += 1) {
      track(tracker, number, number);
      if (number % 50 === 0) while (tracker.stats().buffered > 0) await new Promise(setImmediate);
    }
    expect(tracker.stats()).toMatchObject({ tracked: 120, buffered: 20, onDisk: 100, fellBack: 100 });
    const ids = eventsIn(readFileSync(fallbackFile, 'utf8')).map(({ event_id }) => event_id);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, index) => idOf(index + 1)));
    await tracker.close();
    expect(tracker.stats()).toMatchObject({ stored: 120, buffered: 0, onDisk: 0, batches: 2 });
    expect(await everything()).toEqual(all(120, '120 0.17040000'));
  });

  it('holds no more in memory while ClickHouse does not answer', async () => {
    engine.front.faults.push('slow');
    const before = engine.front.inserts();
    const tracker = trackerOf(true, { writeAhead: false, maxBuffered: 10, batchSize: 5 });
    track(tracker, 1, 5);
    while (engine.front.inserts() === before) await new Promise(setImmediate);
    for (let number = 6; number <= 205; number += 10) {
      track(tracker, number, number + 9);
      while (tracker.stats().buffered > 5) await new Promise(setImmediate);
    }
    expect(tracker.stats()).toMatchObject({ tracked: 205, buffered: 5, onDisk: 200, stored: 0 });
    engine.front.release();
    await tracker.close();
    expect(await everything()).toEqual(all(205, '205 0.29110000'));
  });
});
