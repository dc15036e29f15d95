import { randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UsageEvent } from '../../src/metering/event.js';
import { UsageTracker } from '../../src/metering/tracker.js';
import { countsOf, refusedClient } from '../support/embedded.js';
import { idOf, NOW } from '../support/events.js';
import { type Engine, emptyUsage, TRANSPORTS } from '../support/fronted.js';
import { insertingClient } from '../support/inserting-client.js';

describe.each(TRANSPORTS)('over %s', (_name, open) => {
  let engine: Engine;
  let fallbackFile: string;
  const refused = refusedClient();
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(async () => {
    await refused.close();
    await engine.close();
  });
  beforeEach(async () => {
    fallbackFile = join(engine.folder, `${randomUUID()}.jsonl`);
    await emptyUsage(engine);
  });

  const trackerOf = (client: ClickHouseClient | undefined) =>
    new UsageTracker(client, { fallbackFile, batchSize: 10_000, now: () => NOW });
  const track = (tracker: UsageTracker, ...endpoints: string[]) => {
    for (const endpoint of endpoints) {
      tracker.track({ tenantId: 'acme-corp', model: 'gpt-4o', tokensInput: 100, tokensOutput: 10, endpoint });
    }
  };
  const everywhere = (counts: string) => ({ events: counts, hourly: counts, daily: counts });
  /** Stores what it is given and then loses the answer. */
  const answerless = () =>
    insertingClient(
      () => undefined,
      async (statement) => {
        await engine.clickhouse.exec(statement);
        throw new Error('socket hang up');
      },
    );
  /** The real client while it is up, a closed port else. */
  const switched = () => {
    const state = { up: true };
    const inserted: UsageEvent[][] = [];
    const client = insertingClient(
      ({ events }) => inserted.push(events),
      (statement) => (state.up ? engine.clickhouse : refused).exec(statement),
    );
    return { state, inserted, client };
  };

  describe('UsageTracker, ClickHouse away', () => {
    it('puts the events on disk, and a new tracker stores each exactly once', async () => {
      const tracker = trackerOf(refused);
      track(tracker, 'a', 'b');
      await tracker.flush();
      track(tracker, 'c');
      await tracker.close();
      expect(await countsOf(engine)).toEqual(everywhere('0 0.00000000'));

      const later = trackerOf(engine.clickhouse);
      await later.flush();
      await later.close();
      expect(await countsOf(engine)).toEqual(everywhere('3 0.00426000'));
      expect(later.stats()).toMatchObject({ stored: 3, batches: 2, fallbackBytes: 0 });
    });

    it('goes on by itself: first what is on disk, then what is new', async () => {
      const { state, inserted, client } = switched();
      const tracker = trackerOf(client);
      state.up = false;
      track(tracker, 'old');
      await tracker.flush();
      state.up = true;
      inserted.length = 0;
      track(tracker, 'new');
      await tracker.close();
      expect(inserted.map((events) => events.map(({ endpoint }) => endpoint))).toEqual([['old'], ['new']]);
      expect(await countsOf(engine)).toEqual(everywhere('2 0.00284000'));
    });

    it('counts a batch once that was stored while its answer was lost', async () => {
      const tracker = trackerOf(answerless());
      track(tracker, 'a', 'b');
      await tracker.close();
      expect(tracker.stats()).toMatchObject({ stored: 0, fellBack: 2, lastError: 'socket hang up' });

      await trackerOf(engine.clickhouse).close();
      expect(await countsOf(engine)).toEqual(everywhere('2 0.00284000'));
      expect(await engine.rows('SELECT count() AS n FROM usage_events')).toEqual([{ n: 2 }]);
    });

    it('counts once what is replayed again and again without an answer', async () => {
      for (const client of [undefined, answerless(), answerless(), engine.clickhouse]) {
        const tracker = trackerOf(client);
        if (!client) track(tracker, 'a', 'b', 'c');
        await tracker.close();
      }
      expect(await countsOf(engine)).toEqual(everywhere('3 0.00426000'));
    });

    it('quarantines a half-written last line, stores the others, and glues nothing to it', async () => {
      for (const endpoint of ['a', 'b']) {
        const tracker = trackerOf(undefined);
        track(tracker, endpoint);
        await tracker.close();
      }
      truncateSync(fallbackFile, readFileSync(fallbackFile).length - 20);
      const tracker = trackerOf(undefined);
      track(tracker, 'c');
      await tracker.close();

      await trackerOf(engine.clickhouse).close();
      expect(await engine.rows('SELECT endpoint FROM usage_events ORDER BY endpoint')).toEqual([
        { endpoint: 'a' },
        { endpoint: 'c' },
      ]);
      const { line } = JSON.parse(readFileSync(`${fallbackFile}.quarantine`, 'utf8')) as { line: string };
      expect(line).toMatch(/^\["acme-corp",.*,"gpt-4o","b",/);
    });

    it('keeps counting right when the file says a batch twice', async () => {
      const tracker = trackerOf(undefined);
      track(tracker, 'a');
      await tracker.close();
      appendFileSync(fallbackFile, readFileSync(fallbackFile));
      await trackerOf(engine.clickhouse).close();
      expect(await countsOf(engine)).toEqual(everywhere('1 0.00142000'));
    });

    it('keeps an event’s cost and identity through the file', async () => {
      const tracker = trackerOf(undefined);
      const event = tracker.track({ tenantId: 'acme-corp', eventId: idOf(7), endpoint: 'é\n"{x:String}' });
      await tracker.close();
      await trackerOf(engine.clickhouse).close();
      const [stored] = await engine.rows(
        `SELECT
        * EXCEPT (timestamp, created_at, cost_usd),
        toUnixTimestamp64Milli(usage_events.timestamp) AS timestamp,
        toUnixTimestamp64Milli(usage_events.created_at) AS created_at,
        toDecimalString(usage_events.cost_usd, 8) AS cost_usd
       FROM usage_events`,
      );
      expect(stored).toEqual(event);
    });
  });

  describe('UsageTracker, ClickHouse away and the disk refusing', () => {
    it('says so, keeps the events, and stores them once when ClickHouse is back', async () => {
      writeFileSync(`${fallbackFile}-folder`, '');
      fallbackFile = join(`${fallbackFile}-folder`, 'fallback.jsonl');
      const { state, client } = switched();
      const tracker = trackerOf(client);
      state.up = false;
      track(tracker, 'a', 'b');
      await expect(tracker.flush()).rejects.toThrow(/^Cannot store 2 events: (EEXIST|ENOTDIR)[^\n]*$/);
      expect(tracker.stats()).toMatchObject({ buffered: 2, fellBack: 0, stored: 0 });

      state.up = true;
      track(tracker, 'c');
      await tracker.close();
      expect(await countsOf(engine)).toEqual(everywhere('3 0.00426000'));
    });

    it('keeps the batch’s id: what was stored without an answer is not stored again', async () => {
      writeFileSync(`${fallbackFile}-folder`, '');
      fallbackFile = join(`${fallbackFile}-folder`, 'fallback.jsonl');
      const tracker = trackerOf(answerless());
      track(tracker, 'a');
      await expect(tracker.flush()).rejects.toThrow('Cannot store 1 events');
      track(tracker, 'b');
      await expect(tracker.flush()).rejects.toThrow('Cannot store 2 events');
      rmSync(dirname(fallbackFile));
      await tracker.close();
      await trackerOf(engine.clickhouse).close();
      expect(await countsOf(engine)).toEqual(everywhere('2 0.00284000'));
    });
  });
});
