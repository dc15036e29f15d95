import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCostInvoice } from '../../src/invoices/cost-invoice.js';
import { makePlanInvoice } from '../../src/invoices/plan-invoice.js';
import { issueInvoice } from '../../src/invoices/snapshot.js';
import type { UsageEvent } from '../../src/metering/event.js';
import { recordTenants } from '../../src/metering/tenants.js';
import { DAY_MS, GRACE_MS, parseMonth } from '../../src/period.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, idOf, storeBatch } from '../support/events.js';
import { emptyUsage } from '../support/fronted.js';

let engine: Embedded;
const tenantId = 'acme-corp';
beforeAll(async () => {
  engine = await openEmbedded();
  await recordTenants(engine.clickhouse, [
    { tenantId, effectiveFrom: new Date('2025-01-01'), plan: 'starter', state: 'active' },
  ]);
});
afterAll(() => engine.close());
beforeEach(async () => {
  await emptyUsage(engine);
  await engine.command('TRUNCATE TABLE invoice_snapshots');
});

/** An event of so many queries: when it happened, and when it was accepted. */
const use = (queries: number, happened: string, accepted = happened, id?: number) =>
  eventOf(
    { tenantId, queries, timestamp: new Date(happened), ...(id ? { eventId: idOf(id) } : {}) },
    new Date(accepted),
  );
const store = (...events: UsageEvent[]) => storeBatch(engine.clickhouse, events);
const cost = async (month: string) =>
  (await makeCostInvoice(engine.clickhouse, { tenantId, month })).invoice.lines.map(
    (line) => `${line.usage_month}: ${line.queries} of ${line.events}`,
  );
const plan = async (month: string) =>
  (await makePlanInvoice(engine.clickhouse, { tenantId, month })).invoice.lines
    .filter(({ kind, quantity }) => kind === 'usage' && quantity !== 0)
    .map((line) => `${line.first_day}: ${line.quantity} for ${line.amount_cents}`);
/** Issues both invoices of a month, and gives the queries on each. */
const issue = async (month: string) => {
  const sealed = [
    await makeCostInvoice(engine.clickhouse, { tenantId, month }),
    await makePlanInvoice(engine.clickhouse, { tenantId, month }),
  ];
  for (const one of sealed) {
    await issueInvoice(engine.clickhouse, one, {
      issuedAt: new Date(parseMonth(month).end.getTime() + GRACE_MS),
    });
  }
  return sealed.map(({ invoice }) => invoice.total_queries);
};

describe('an event accepted in time and stored after its month was issued', () => {
  it('is on the next invoice, and the issued one stays as it was, byte for byte', async () => {
    await store(use(9_000, '2025-11-10'));
    const issued = await makeCostInvoice(engine.clickhouse, { tenantId, month: '2025-11' });
    await issue('2025-11');
    await store(use(3_000, '2025-11-20'), use(5, '2025-12-02'));
    const again = await makeCostInvoice(engine.clickhouse, { tenantId, month: '2025-11' });
    expect(again).toEqual(issued);
    expect(await cost('2025-12')).toEqual(['2025-11: 3000 of 1', '2025-12: 5 of 1']);
    expect(await plan('2025-12')).toEqual(['2025-11-01: 3000 for 200', '2025-12-01: 5 for 0']);
    expect([await cost('2026-01'), await plan('2026-01')]).toEqual([[], []]);
  });

  it('is counted in the plan invoice’s total', async () => {
    await store(use(9_000, '2025-11-10'));
    await issue('2025-11');
    await store(use(3_000, '2025-11-20'), use(5, '2025-12-02'));
    expect(await issue('2025-12')).toEqual([3_005, 3_005]);
  });

  it('is found months later, once', async () => {
    await store(use(1, '2025-06-10'));
    for (const month of ['2025-06', '2025-07', '2025-08']) await issue(month);
    await store(use(7, '2025-06-11'));
    expect(await issue('2025-09')).toEqual([7, 7]);
    expect(await issue('2025-10')).toEqual([0, 0]);
  });

  it('is on the invoice of its own month while that is open', async () => {
    await issue('2025-10');
    await store(use(7, '2025-11-11'));
    expect([await cost('2025-11'), await cost('2025-12')]).toEqual([['2025-11: 7 of 1'], []]);
  });

  it('is not billed again as a copy, also when the copy says that it was accepted first', async () => {
    await store(use(4, '2025-11-10', '2025-11-13', 1));
    await issue('2025-11');
    await store(use(4, '2025-11-10', '2025-11-12', 1), use(4, '2025-10-30', '2025-11-11', 1));
    expect(await issue('2025-12')).toEqual([0, 0]);
  });

  it('gives nothing back for events that were deleted', async () => {
    await store(use(4, '2025-11-10'), use(3, '2025-11-11'));
    await issue('2025-11');
    await emptyUsage(engine);
    await store(use(2, '2025-12-10'));
    expect(await issue('2025-12')).toEqual([2, 2]);
  });
});

describe('all issued invoices together', () => {
  const drawn = fc.record({
    id: fc.integer({ min: 1, max: 60 }),
    happened: fc.nat(90 * DAY_MS),
    delay: fc.oneof(fc.nat(DAY_MS), fc.nat(60 * DAY_MS)),
    queries: fc.integer({ min: 1, max: 9_000 }),
    /** In which month's run it is stored, counted from that of its acceptance. */
    later: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3)),
  });
  const MONTHS = ['2025-06', '2025-07', '2025-08', '2025-09', '2025-10', '2025-11', '2025-12'];
  const closings = MONTHS.map((month) => parseMonth(month).end.getTime() + GRACE_MS);

  it('have every event exactly once, however late it was stored', async () => {
    const events = fc.uniqueArray(drawn, { selector: ({ id }) => id, minLength: 5, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(events, async (all) => {
        await emptyUsage(engine);
        await engine.command('TRUNCATE TABLE invoice_snapshots');
        const totals = [0, 0];
        for (const [run, month] of MONTHS.entries()) {
          const due = all.filter(({ happened, delay, later }) => {
            const accepted = Date.UTC(2025, 5, 1) + happened + delay;
            return Math.min(MONTHS.length - 1, closings.findIndex((at) => accepted < at) + later) === run;
          });
          await store(
            ...due.map(({ id, queries, happened, delay }) => {
              const timestamp = new Date(Date.UTC(2025, 5, 1) + happened);
              return use(queries, timestamp.toISOString(), new Date(+timestamp + delay).toISOString(), id);
            }),
          );
          const issued = await issue(month);
          for (const kind of [0, 1]) totals[kind] = (totals[kind] ?? 0) + (issued[kind] ?? 0);
        }
        const expected = all.reduce((sum, { queries }) => sum + queries, 0);
        expect(totals).toEqual([expected, expected]);
      }),
      { numRuns: 3, seed: 20_251_122, endOnFailure: true },
    );
  }, 120_000);
});
