/** The tracker's figures for Prometheus, read when they are asked for. */
import type { TrackerStats } from '../metering/tracker.js';

/** Size of the fallback file from which somebody should look, in bytes. */
export const FALLBACK_ALERT_BYTES = 100_000;

/** What each figure is; counters only grow. */
const METRICS: readonly {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly value: (stats: TrackerStats, nowMs: number) => number;
}[] = [
  { name: 'events_tracked_total', help: 'Events accepted', type: 'counter', value: ({ tracked }) => tracked },
  {
    name: 'events_stored_total',
    help: 'Events confirmed by ClickHouse',
    type: 'counter',
    value: ({ stored }) => stored,
  },
  {
    name: 'batches_total',
    help: 'Batches confirmed by ClickHouse',
    type: 'counter',
    value: ({ batches }) => batches,
  },
  {
    name: 'insert_failures_total',
    help: 'Inserts that failed',
    type: 'counter',
    value: ({ failures }) => failures,
  },
  {
    name: 'disk_failures_total',
    help: 'Writes to the fallback file that failed',
    type: 'counter',
    value: ({ diskFailures }) => diskFailures,
  },
  {
    name: 'quarantined_lines_total',
    help: 'Lines of the fallback file that were put aside',
    type: 'counter',
    value: ({ quarantined }) => quarantined,
  },
  {
    name: 'events_buffered',
    help: 'Events that wait in memory',
    type: 'gauge',
    value: ({ buffered }) => buffered,
  },
  {
    name: 'fallback_bytes',
    help: 'Size of what waits in the fallback file',
    type: 'gauge',
    value: ({ fallbackBytes }) => fallbackBytes,
  },
  {
    name: 'fallback_alert',
    help: `1 from ${FALLBACK_ALERT_BYTES} bytes of fallback on`,
    type: 'gauge',
    value: ({ fallbackBytes }) => Number(fallbackBytes >= FALLBACK_ALERT_BYTES),
  },
  {
    name: 'oldest_unsent_seconds',
    help: 'Age of the oldest event that is not stored',
    type: 'gauge',
    value: ({ oldest }, nowMs) => (oldest === undefined ? 0 : Math.max(0, nowMs - oldest) / 1_000),
  },
];

/** @example const metrics = trackerMetrics(tracker); await metrics() // '# HELP meterbridge_…' */
export async function trackerMetrics(
  tracker: { stats(): TrackerStats },
  now: () => Date = () => new Date(),
): Promise<() => Promise<string>> {
  // Loaded here: nothing but a server needs it.
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  for (const { name, help, type, value } of METRICS) {
    const options = { name: `meterbridge_${name}`, help, registers: [registry] };
    const read = () => value(tracker.stats(), now().getTime());
    if (type === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          this.set(read());
        },
      });
    } else {
      new Counter({
        ...options,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    }
  }
  return () => registry.metrics();
}
