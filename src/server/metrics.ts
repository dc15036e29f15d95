/** The tracker's figures for Prometheus, read when they are asked for. */
import type { TrackerStats } from '../metering/tracker-options.js';

/** Size of the fallback file from which somebody should look, in bytes. */
export const FALLBACK_ALERT_BYTES = 100_000;

/** They only grow: name, what it counts, and where it stands. */
const COUNTERS: readonly [name: string, help: string, value: keyof TrackerStats][] = [
  ['events_tracked_total', 'Events accepted', 'tracked'],
  ['events_stored_total', 'Events confirmed by ClickHouse', 'stored'],
  ['batches_total', 'Batches confirmed by ClickHouse', 'batches'],
  ['insert_failures_total', 'Inserts that failed', 'failures'],
  ['disk_failures_total', 'Writes to the fallback file that failed', 'diskFailures'],
  ['quarantined_lines_total', 'Lines of the fallback file that were put aside', 'quarantined'],
];

const GAUGES: readonly [name: string, help: string, value: (stats: TrackerStats, nowMs: number) => number][] =
  [
    ['events_buffered', 'Events that wait in memory', ({ buffered }) => buffered],
    ['fallback_bytes', 'Size of what waits in the fallback file', ({ fallbackBytes }) => fallbackBytes],
    [
      'fallback_alert',
      `1 from ${FALLBACK_ALERT_BYTES} bytes of fallback on`,
      ({ fallbackBytes }) => Number(fallbackBytes >= FALLBACK_ALERT_BYTES),
    ],
    [
      'oldest_unsent_seconds',
      'Age of the oldest event that is not stored',
      ({ oldest }, nowMs) => (oldest === undefined ? 0 : Math.max(0, nowMs - oldest) / 1_000),
    ],
  ];

/** @example const metrics = trackerMetrics(tracker); await metrics() // '# HELP meterbridge_…' */
export async function trackerMetrics(
  tracker: { stats(): TrackerStats },
  now: () => Date = () => new Date(),
): Promise<() => Promise<string>> {
  // Loaded here: nothing but a server needs it.
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const about = (name: string, help: string) => ({
    name: `meterbridge_${name}`,
    help,
    registers: [registry],
  });
  for (const [name, help, key] of COUNTERS) {
    new Counter({
      ...about(name, help),
      collect() {
        this.reset();
        this.inc(Number(tracker.stats()[key]));
      },
    });
  }
  for (const [name, help, value] of GAUGES) {
    new Gauge({
      ...about(name, help),
      collect() {
        this.set(value(tracker.stats(), now().getTime()));
      },
    });
  }
  return () => registry.metrics();
}
