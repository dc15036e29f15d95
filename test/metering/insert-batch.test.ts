import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeBatch } from '../../src/metering/encode-batch.js';
import { insertBatch } from '../../src/metering/insert-batch.js';
import { countsOf } from '../support/embedded.js';
import { eventOf, idOf, NOW, storeBatch } from '../support/events.js';
import { type Engine, emptyUsage, TRANSPORTS } from '../support/fronted.js';

let batches = 0;
const newId = () => {
  batches += 1;
  return idOf(batches);
};
const everywhere = (counts: string) => ({ events: counts, hourly: counts, daily: counts });

describe.each(TRANSPORTS)('insertBatch() over %s', (_name, open) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.close());
  beforeEach(() => emptyUsage(engine));

  it('stores two batches with different ids, one after the other', async () => {
    await storeBatch(engine.clickhouse, [eventOf()]);
    await storeBatch(engine.clickhouse, [eventOf()]);
    expect(await countsOf(engine)).toEqual(everywhere('2 0.00284000'));
  });

  it('leaves no setting behind for the next statement', async () => {
    await storeBatch(engine.clickhouse, [eventOf()]);
    const [row] = await engine.rows(`SELECT getSetting('insert_deduplication_token') AS token`);
    expect(row).toEqual({ token: '' });
  });

  it('stores a batch once, however often it comes', async () => {
    const batch = await encodeBatch(newId(), [eventOf(), eventOf()]);
    for (let time = 1; time <= 3; time += 1) await insertBatch(engine.clickhouse, batch);
    expect(await countsOf(engine)).toEqual(everywhere('2 0.00284000'));
  });

  it('knows a batch by its id, in whatever order its events come', async () => {
    const [one, two] = [eventOf(), eventOf()];
    const id = newId();
    await storeBatch(engine.clickhouse, [one, two], id);
    await storeBatch(engine.clickhouse, [two, one], id);
    expect(await countsOf(engine)).toEqual(everywhere('2 0.00284000'));
  });

  it('knows a batch again behind thirty others', async () => {
    const batch = await encodeBatch(newId(), [eventOf()]);
    await insertBatch(engine.clickhouse, batch);
    for (let other = 1; other <= 30; other += 1) {
      await storeBatch(engine.clickhouse, [eventOf()]);
    }
    await insertBatch(engine.clickhouse, batch);
    expect(await countsOf(engine)).toEqual(everywhere('31 0.04402000'));
  });

  it('stores a batch over two months once', async () => {
    const events = [eventOf({ timestamp: new Date('2025-10-31T23:59:59.999Z') }), eventOf()];
    const batch = await encodeBatch(newId(), events);
    await insertBatch(engine.clickhouse, batch);
    await insertBatch(engine.clickhouse, batch);
    expect(await countsOf(engine)).toEqual(everywhere('2 0.00284000'));
  });

  it('stores a batch over a hundred and thirty months', async () => {
    const events = Array.from({ length: 130 }, (_, month) => ({
      ...eventOf({ eventId: idOf(month) }),
      timestamp: Date.UTC(2010, month, 1),
    }));
    await storeBatch(engine.clickhouse, events);
    expect(await countsOf(engine)).toEqual(everywhere('130 0.18460000'));
  });

  it('completes a batch that reached the events and not the daily rollup', async () => {
    const batch = await encodeBatch(newId(), [eventOf(), eventOf()]);
    await engine.command('ALTER TABLE usage_daily ADD CONSTRAINT full CHECK queries > 1000');
    await expect(insertBatch(engine.clickhouse, batch)).rejects.toThrow('Constraint `full`');
    expect((await countsOf(engine)).daily).toBe('0 0.00000000');
    await engine.command('ALTER TABLE usage_daily DROP CONSTRAINT full');
    await insertBatch(engine.clickhouse, batch);
    expect(await countsOf(engine)).toEqual(everywhere('2 0.00284000'));
  });

  it('stores ten thousand events in one batch', async () => {
    const events = Array.from({ length: 10_000 }, () => eventOf({ endpoint: 'x'.repeat(200) }));
    await storeBatch(engine.clickhouse, events);
    expect(await countsOf(engine)).toEqual(everywhere('10000 14.20000000'));
  });

  it('stores nothing for no events, and still takes the id later', async () => {
    const id = newId();
    await storeBatch(engine.clickhouse, [], id);
    await storeBatch(engine.clickhouse, [eventOf()], id);
    expect(await countsOf(engine)).toEqual(everywhere('1 0.00142000'));
  });

  it.each([
    ['first copy stored first', [1, 2]],
    ['first copy stored last', [2, 1]],
  ])('lets the first accepted copy of an event win: %s', async (_, order) => {
    const copies = {
      1: eventOf({ eventId: idOf(1) }),
      2: { ...eventOf({ eventId: idOf(1) }), cost_usd: '9.00000000', created_at: NOW.getTime() + 1 },
    };
    for (const copy of order as (1 | 2)[]) await storeBatch(engine.clickhouse, [copies[copy]]);
    expect((await countsOf(engine)).events).toBe('1 0.00142000');
    await engine.command('OPTIMIZE TABLE usage_events FINAL');
    expect((await countsOf(engine)).events).toBe('1 0.00142000');
  });

  it.each([
    "'; DROP TABLE usage_events; --",
    'a\nb\r\nc\td',
    'back\\slash \\N \\n "quotes" \'single\' `ticks`',
    '{x:String} $y %s :z ?',
    'emoji 👩‍💻 and \u0000 and \u2028',
    '[{"a":1}]\n{"tenant_id":"other"}',
  ])('gives back the endpoint %j as it came', async (endpoint) => {
    await storeBatch(engine.clickhouse, [eventOf({ endpoint })]);
    expect(await engine.rows('SELECT endpoint FROM usage_events')).toEqual([{ endpoint }]);
  });

  it('gives back a hostile model as it came', async () => {
    const model = "'; DROP TABLE usage_events; -- {x:String}\\";
    await storeBatch(engine.clickhouse, [{ ...eventOf(), model }]);
    expect(await engine.rows('SELECT model FROM usage_daily')).toEqual([{ model }]);
  });

  it('keeps the money exact', async () => {
    const event = { ...eventOf(), cost_usd: '9999999999.99999999' };
    await storeBatch(engine.clickhouse, [event, eventOf()]);
    expect((await countsOf(engine)).daily).toBe('2 10000000000.00141999');
  });

  it.each(["x', async_insert = 1 --", '', idOf(1).toUpperCase().replace('0', 'G'), `${idOf(1)}\n`])(
    'refuses the batch id %j',
    async (id) => {
      await expect(storeBatch(engine.clickhouse, [eventOf()], id)).rejects.toThrow(
        `Cannot insert batch: its id must be a UUID, current value is ${JSON.stringify(id)}`,
      );
    },
  );

  it('knows a batch again after the engine was closed and opened', async () => {
    const batch = await encodeBatch(newId(), [eventOf()]);
    await insertBatch(engine.clickhouse, batch);
    engine = await engine.reopen();
    await insertBatch(engine.clickhouse, batch);
    expect(await countsOf(engine)).toEqual(everywhere('1 0.00142000'));
  });
});
