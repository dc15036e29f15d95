import { describe, expect, it } from 'vitest';
import { trackerMetrics } from '../../src/server/metrics.js';
import { NOW } from '../support/events.js';

// No two values are alike, so that none can stand in another's place.
const stats = {
  tracked: 70,
  buffered: 61,
  stored: 52,
  fellBack: 43,
  batches: 34,
  failures: 25,
  diskFailures: 16,
  onDisk: 7,
  fallbackBytes: 100_000,
  quarantined: 8,
  oldest: NOW.getTime() - 9_500,
  lastError: undefined,
  diskError: undefined,
};
const valuesOf = async (some: Partial<typeof stats> = {}) => {
  const metrics = await trackerMetrics({ stats: () => ({ ...stats, ...some }) }, () => NOW);
  await metrics();
  const lines = (await metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => line.replace('meterbridge_', '').split(' ')));
};

describe('trackerMetrics()', () => {
  it('has each figure under its name, the same however often it is read', async () => {
    expect(await valuesOf()).toEqual({
      events_tracked_total: '70',
      events_stored_total: '52',
      batches_total: '34',
      insert_failures_total: '25',
      disk_failures_total: '16',
      quarantined_lines_total: '8',
      events_buffered: '61',
      fallback_bytes: '100000',
      fallback_alert: '1',
      oldest_unsent_seconds: '9.5',
    });
  });

  it('has no alert below 100 KB', async () => {
    expect((await valuesOf({ fallbackBytes: 99_999 })).fallback_alert).toBe('0');
  });
});
