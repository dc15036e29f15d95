// The tracker: what a call costs, what it does to the event loop, and how fast rows go in.

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { createEvent, PRICE_TABLES, UsageTracker } from 'meterbridge';
import { withEngine } from './engine.mjs';
import { median, pairs, seconds } from './pairs.mjs';

export const names = [
  'tracker.track_vs_push',
  'tracker.loop_delay_over_idle_ms',
  'tracker.ingest_vs_insert',
  'tracker.ingest_vs_limit',
];

const CALLS = 100_000;
const ROWS = 200_000;
const BATCH = 10_000;
const RATE = 50_000;
const NEVER = 2_147_483_647;

const inputOf = (n) => ({
  tenantId: `tenant-${String(n % 1_000).padStart(4, '0')}`,
  model: n % 2 ? 'gpt-4o' : 'gpt-4o-mini',
  tokensInput: 170 + (n % 50),
  tokensOutput: 12 + (n % 20),
});

export async function run(report, wanted) {
  await withEngine(async ({ clickhouse, folder }) => {
    let files = 0;
    const trackerOf = (options, client = clickhouse) => {
      files += 1;
      return new UsageTracker(client ?? undefined, {
        fallbackFile: join(folder, `${files}.jsonl`),
        batchSize: BATCH,
        ...options,
      });
    };
    if (wanted('tracker.track_vs_push')) await callCost(report, trackerOf);
    if (wanted('tracker.loop_delay_over_idle_ms')) await loopDelay(report, trackerOf);
    if (wanted('tracker.ingest_vs_insert') || wanted('tracker.ingest_vs_limit')) {
      await ingest(report, trackerOf, clickhouse);
    }
  });
}

async function callCost(report, trackerOf) {
  const inputs = Array.from({ length: CALLS }, (_, n) => inputOf(n));
  const { a, ratio } = await pairs(
    async () => {
      const tracker = trackerOf({ batchSize: NEVER, flushIntervalMs: NEVER, maxBuffered: NEVER }, null);
      const spent = await seconds(() => {
        for (const input of inputs) tracker.track(input);
      });
      await tracker.close();
      return spent;
    },
    () =>
      seconds(() => {
        const events = [];
        for (const input of inputs) events.push(input);
      }),
  );
  report({
    name: 'tracker.track_vs_push',
    value: (a / CALLS) * 1e9,
    unit: 'ns/call',
    against: 'one array push',
    ratio,
  });
}

/** 99th percentile of the event loop's delay over some seconds. */
async function delay(work) {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await work();
  monitor.disable();
  return monitor.percentile(99) / 1e6;
}

async function loopDelay(report, trackerOf) {
  const lasting = 2_000;
  const over = [];
  for (let round = 0; round < 3; round += 1) {
    const idle = await delay(() => wait(lasting));
    const tracker = trackerOf({});
    const busy = await delay(async () => {
      const started = performance.now();
      let sent = 0;
      for (let now = 0; now < lasting; now = performance.now() - started) {
        for (const due = (now / 1_000) * RATE; sent < due; sent += 1) tracker.track(inputOf(sent));
        await wait(1);
      }
    });
    await tracker.close();
    over.push(busy - idle);
  }
  report({
    name: 'tracker.loop_delay_over_idle_ms',
    value: median(over),
    unit: 'ms p99',
    against: `idle loop, at ${RATE} events/s`,
  });
}

async function ingest(report, trackerOf, clickhouse) {
  const now = new Date();
  const clear = async () => {
    for (const table of ['usage_events', 'usage_hourly', 'usage_daily']) {
      await clickhouse.command({ query: `TRUNCATE TABLE ${table}` });
    }
  };
  const inputs = Array.from({ length: ROWS }, (_, n) => inputOf(n));
  const events = inputs.map((input) => createEvent(input, { priceTables: PRICE_TABLES, now }));
  const tracked = async () => {
    await clear();
    const tracker = trackerOf({ maxBuffered: 10 * ROWS });
    return seconds(async () => {
      for (const [n, input] of inputs.entries()) {
        tracker.track(input);
        // As in a service, where one call comes after the other.
        if (n % 500 === 499) await setImmediate();
      }
      await tracker.close();
    });
  };
  const inserted = async () => {
    await clear();
    return seconds(async () => {
      for (let start = 0; start < ROWS; start += BATCH) {
        await clickhouse.insert({
          table: 'usage_events',
          values: events.slice(start, start + BATCH),
          format: 'JSONEachRow',
        });
      }
    });
  };
  const generated = async () => {
    await clear();
    return seconds(async () => {
      for (let start = 0; start < ROWS; start += BATCH) {
        await clickhouse.command({
          query: `
            INSERT INTO usage_events SELECT
              concat('tenant-', leftPad(toString(number % 1000), 4, '0')), generateUUIDv4(), 'query', now64(3, 'UTC'),
              1, 170 + number % 50, 12 + number % 20, 0, if(number % 2, 'gpt-4o', 'gpt-4o-mini'), '/query', 0,
              toDecimal64(165400 + number % 1000, 8) / 100000000, '2025-01', now64(3, 'UTC')
            FROM numbers(${start}, ${BATCH})`,
        });
      }
    });
  };
  const versus = await pairs(inserted, tracked, { rounds: 5 });
  report({
    name: 'tracker.ingest_vs_insert',
    value: ROWS / versus.b,
    unit: 'rows/s',
    against: 'client.insert, 10,000 a call',
    ratio: versus.ratio,
  });
  const limit = await pairs(generated, tracked, { rounds: 5 });
  report({
    name: 'tracker.ingest_vs_limit',
    value: ROWS / limit.b,
    unit: 'rows/s',
    against: 'INSERT … SELECT FROM numbers()',
    ratio: limit.ratio,
  });
}
