import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBatch } from '../../src/metering/encode-batch.js';
import { insertBatch } from '../../src/metering/insert-batch.js';
import type { Notice } from '../../src/notifier.js';
import { overageMonitor } from '../../src/quotas/overage-monitor.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, NOW } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const store = async (tenantId: string, times: number) => {
  const events = Array.from({ length: times }, () => eventOf({ tenantId }));
  await insertBatch(engine.clickhouse, await encodeBatch(randomUUID(), events));
};

describe('overageMonitor()', () => {
  it('tells of each mark once a day, and of nobody below it', async () => {
    const notices: Notice[] = [];
    const monitor = overageMonitor(engine.clickhouse, {
      limitsOf: (tenantId) => (tenantId === 'unwatched' ? undefined : { queries: 10, tokens: 1_000 }),
      notifier: { notify: async (notice) => void notices.push(notice) },
    });
    await store('quiet', 7);
    await store('busy', 8);
    await store('unwatched', 50);
    expect(await monitor.check(NOW)).toEqual([{ tenantId: 'busy', mark: 'warning', queries: 8, limit: 10 }]);
    expect(await monitor.check(NOW)).toEqual([]);
    await store('busy', 4);
    expect(await monitor.check(NOW)).toEqual([{ tenantId: 'busy', mark: 'block', queries: 12, limit: 10 }]);
    expect(notices).toEqual([
      { topic: 'quota warning', tenantId: 'busy', text: '8 of 10 queries used on 2025-11-15 (80 %)' },
      { topic: 'quota block', tenantId: 'busy', text: '12 of 10 queries used on 2025-11-15 (120 %)' },
    ]);
  });

  it('tells again when the notifier failed', async () => {
    let fails = true;
    const monitor = overageMonitor(engine.clickhouse, {
      limitsOf: (tenantId) => (tenantId === 'again' ? { queries: 1, tokens: 1_000 } : undefined),
      notifier: {
        notify: async () => {
          if (fails) throw new Error('no answer');
        },
      },
    });
    await store('again', 1);
    await expect(monitor.check(NOW)).rejects.toThrow('no answer');
    fails = false;
    expect(await monitor.check(NOW)).toHaveLength(1);
  });
});
