import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCostInvoices } from '../../src/invoices/cost-invoice.js';
import type { UsageEvent } from '../../src/metering/event.js';
import { formatUsd, parseUsd } from '../../src/money.js';
import { DAY_MS, HOUR_MS } from '../../src/period.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, idOf, storeBatch } from '../support/events.js';
import { emptyUsage } from '../support/fronted.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const START = Date.UTC(2025, 7, 1);
const MONTHS = [
  '2025-08',
  '2025-09',
  '2025-10',
  '2025-11',
  '2025-12',
  '2026-01',
  '2026-02',
  '2026-03',
  '2026-04',
];
const TENANTS = ['acme-corp', 'beta-inc'];

/** When it happened, how much later it was accepted, and the tokens that make its cost. */
const copy = fc.record({
  after: fc.oneof(fc.nat(20 * DAY_MS), fc.constantFrom(0, 1, 27 * DAY_MS)),
  delay: fc.oneof(fc.nat(HOUR_MS), fc.nat(100 * DAY_MS), fc.constantFrom(0, 72 * HOUR_MS - 1, 72 * HOUR_MS)),
  tokensInput: fc.nat(1_000),
});
/** Copies of an event lie within a month of each other: further apart nobody looks for them. */
const event = fc.record({
  tenant: fc.nat(1),
  id: fc.integer({ min: 1, max: 13 }),
  happened: fc.oneof(fc.nat(120 * DAY_MS), fc.constantFrom(31 * DAY_MS - 1, 31 * DAY_MS, 61 * DAY_MS)),
  copies: fc.array(copy, { minLength: 1, maxLength: 4 }),
});
const usage = fc.uniqueArray(event, {
  selector: ({ tenant, id }) => `${tenant} ${id}`,
  minLength: 1,
  maxLength: 25,
});

const eventsOf = (drawn: readonly (typeof event extends fc.Arbitrary<infer T> ? T : never)[]): UsageEvent[] =>
  drawn.flatMap(({ tenant, id, happened, copies }) =>
    copies.map(({ after, delay, tokensInput }) => {
      const timestamp = new Date(START + happened + after);
      const tenantId = TENANTS[tenant] ?? '';
      return eventOf(
        { tenantId, eventId: idOf(id), timestamp, tokensInput },
        new Date(timestamp.getTime() + delay),
      );
    }),
  );
/** Of each id the copy accepted first; of two at once that which happened first. */
const distinct = (events: readonly UsageEvent[]): UsageEvent[] => {
  const first = new Map<string, UsageEvent>();
  for (const one of events) {
    const key = `${one.tenant_id} ${one.event_id}`;
    const kept = first.get(key);
    const order = kept ? one.created_at - kept.created_at || one.timestamp - kept.timestamp : -1;
    if (order < 0) first.set(key, one);
  }
  return [...first.values()];
};
const totalOf = (events: readonly { queries: number; cost_usd: string }[]) => {
  const cost = events.reduce((sum, { cost_usd }) => sum + parseUsd(cost_usd), 0n);
  return `${events.reduce((sum, { queries }) => sum + queries, 0)} ${formatUsd(cost)}`;
};

describe('all invoices of a tenant together', () => {
  it('have every event exactly once, whenever copies and late ones came, in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        usage,
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 5 }),
        async (drawn, order, batches) => {
          await emptyUsage(engine);
          const events = eventsOf(drawn);
          const shuffled = events
            .map((one) => ({ one, at: order.next().value }))
            .sort((a, b) => a.at - b.at)
            .map(({ one }) => one);
          const size = Math.ceil(shuffled.length / batches);
          for (let start = 0; start < shuffled.length; start += size) {
            await storeBatch(engine.clickhouse, shuffled.slice(start, start + size));
          }
          const invoiced = new Map<string, { queries: number; cost_usd: string }[]>();
          for (const month of MONTHS) {
            for (const { invoice } of await makeCostInvoices(engine.clickhouse, {
              tenantIds: TENANTS,
              month,
            })) {
              invoiced.set(invoice.tenant_id, [...(invoiced.get(invoice.tenant_id) ?? []), ...invoice.lines]);
            }
          }
          for (const tenant of TENANTS) {
            const own = distinct(events).filter(({ tenant_id }) => tenant_id === tenant);
            expect(totalOf(invoiced.get(tenant) ?? [])).toBe(totalOf(own));
          }
        },
      ),
      { numRuns: 10, seed: 20_251_122, endOnFailure: true },
    );
  }, 120_000);
});
