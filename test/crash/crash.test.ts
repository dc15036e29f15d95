import { describe, expect, it } from 'vitest';
import { crash } from './crash.js';
import { syncCrash } from './sync-crash.js';
import { fourWriters } from './writers.js';

describe('ten random kills', () => {
  it('leave every confirmed event exactly once in events, rollups and invoice', async () => {
    const { confirmed, problems } = await crash({ seed: 20_251_115, kills: 10 });
    expect(problems).toEqual([]);
    expect(confirmed).toBeGreaterThan(0);
  }, 120_000);
});

describe('four writers that send 2,000 events one to four times', () => {
  it('leave each exactly once in events and invoice, and in the rollups after the repair', async () => {
    const plan = { seed: 20_251_115, events: 2_000, largestBatch: 200 };
    const { sent, failures, rebuilt, before, after } = await fourWriters(plan);
    expect([before, after]).toEqual([[], []]);
    expect(sent).toBe(5_019);
    expect(failures).toBeGreaterThan(0);
    expect(rebuilt).toBe(36);
  }, 120_000);
});

describe('five random kills of the usage sync', () => {
  it('bill the last totals, once', async () => {
    const { killed, faults, problems } = await syncCrash({ seed: 20_251_122, kills: 5 });
    expect(problems).toEqual([]);
    expect(killed).toBeGreaterThanOrEqual(5);
    expect(faults).toBeGreaterThan(0);
  }, 120_000);
});
