// Tracks what the parent sends, and tells it what `durable()` confirmed, until it is killed or told to close.
// Argument: JSON of { url, fallbackFile, writeAhead, flushIntervalMs, timeoutMs, now }; without url ClickHouse is off.
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { UsageTracker } from '../../.build/metering/tracker.js';

const { url, timeoutMs = 500, now, ...options } = JSON.parse(process.argv[2]);
const log = { level: ClickHouseLogLevel.OFF };
const clickhouse = url ? createClient({ url, request_timeout: timeoutMs, log }) : undefined;
const tracker = new UsageTracker(clickhouse, { writeAhead: true, ...options, now: () => new Date(now) });

const work = {
  async track({ events }) {
    for (const event of events) tracker.track({ ...event, timestamp: new Date(event.timestamp) });
    await tracker.durable();
  },
  flush: () => tracker.flush(),
  async close() {
    await tracker.close();
    await clickhouse?.close();
  },
};
process.on('message', async ({ id, task, ...rest }) => {
  let problem;
  try {
    await work[task](rest);
  } catch (error) {
    problem = error.message;
  }
  process.send({ id, problem, stats: tracker.stats() });
  if (task === 'close') process.disconnect();
});
process.send({ id: 0 });
