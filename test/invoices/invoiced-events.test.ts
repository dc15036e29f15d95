import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCostInvoice, makeCostInvoices } from '../../src/invoices/cost-invoice.js';
import { issueInvoice } from '../../src/invoices/snapshot.js';
import type { UsageEvent } from '../../src/metering/event.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, idOf, storeBatch } from '../support/events.js';
import { emptyUsage } from '../support/fronted.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
beforeEach(async () => {
  await emptyUsage(engine);
  await engine.command('TRUNCATE TABLE invoice_snapshots');
});

/** An event of one query that happened at one instant and was accepted at another. */
const event = (happened: string, accepted = happened, some: { id?: number; tenantId?: string } = {}) => {
  const { id, tenantId = 'acme-corp' } = some;
  const timestamp = new Date(happened);
  return eventOf({ tenantId, timestamp, ...(id ? { eventId: idOf(id) } : {}) }, new Date(accepted));
};
const store = (...events: UsageEvent[]) => storeBatch(engine.clickhouse, events);
const invoiceOf = (month: string, tenantId = 'acme-corp') =>
  makeCostInvoice(engine.clickhouse, { tenantId, month });
/** `usage month: queries cost` of each line. */
const linesOf = async (month: string, tenantId?: string) =>
  (await invoiceOf(month, tenantId)).invoice.lines.map(
    ({ usage_month, queries, cost_usd }) => `${usage_month}: ${queries} ${cost_usd}`,
  );

describe('copies of an event with several times', () => {
  it('are one event in one month, the earliest accepted', async () => {
    await store({ ...event('2025-11-20', '2025-11-21', { id: 1 }), cost_usd: '9.00000000' });
    await store(event('2025-11-10', '2025-11-20T23:59:59.999Z', { id: 1 }));
    await store({ ...event('2025-11-05', '2025-11-22', { id: 1 }), cost_usd: '8.00000000' });
    expect(await linesOf('2025-11')).toEqual(['2025-11: 1 0.00142000']);
  });

  it.each([
    ['the month before', '2025-10-31T23:00:00Z', '2025-11-01T00:10:00Z', ['2025-10', '2025-11']],
    ['the month after', '2025-11-01T00:10:00Z', '2025-10-31T23:00:00Z', ['2025-11', '2025-10']],
  ])('belong to %s when that copy was accepted first', async (_name, first, second, [mine, other]) => {
    await store(event(second, '2025-11-02T12:00:00Z', { id: 1 }));
    await store(event(first, '2025-11-02T11:59:59.999Z', { id: 1 }));
    expect(await linesOf(mine as string)).toEqual([`${mine}: 1 0.00142000`]);
    expect(await linesOf(other as string)).toEqual([]);
  });

  it('do not come back when a later one is too late for its month', async () => {
    await store(event('2025-11-05', '2025-11-05', { id: 1 }));
    await store(event('2025-10-20', '2025-11-20', { id: 1 }));
    expect([await linesOf('2025-10'), await linesOf('2025-11')]).toEqual([[], ['2025-11: 1 0.00142000']]);
  });

  it('do not come back months later, when a further one arrives', async () => {
    await store(event('2025-02-05', '2025-05-10', { id: 1 }));
    await store(event('2025-03-05', '2025-08-10', { id: 1 }));
    const lines: string[] = [];
    for (const month of ['02', '03', '04', '05', '06', '07', '08']) {
      lines.push(...(await linesOf(`2025-${month}`)).map((line) => `${month}: ${line}`));
    }
    expect(lines).toEqual(['05: 2025-02: 1 0.00142000']);
  });

  it('are told apart by tenant', async () => {
    await store(event('2025-11-10', '2025-11-10', { id: 1 }));
    await store(event('2025-11-10', '2025-11-11', { id: 1, tenantId: 'beta-inc' }));
    await store(event('2025-11-12', '2025-11-12', { id: 1, tenantId: 'beta-inc' }));
    expect(await linesOf('2025-11')).toEqual(['2025-11: 1 0.00142000']);
    expect(await linesOf('2025-11', 'beta-inc')).toEqual(['2025-11: 1 0.00142000']);
    const together = { tenantIds: ['beta-inc', 'acme-corp'], month: '2025-11' };
    const invoices = await makeCostInvoices(engine.clickhouse, together);
    expect(invoices.map(({ invoice }) => [invoice.tenant_id, invoice.total_queries])).toEqual([
      ['beta-inc', 1],
      ['acme-corp', 1],
    ]);
  });

  it('leave the other events of their tenant alone', async () => {
    await store(event('2025-11-10', '2025-11-10', { id: 1 }), event('2025-11-10'), event('2025-11-11'));
    await store(event('2025-11-12', '2025-11-12', { id: 1 }));
    expect(await linesOf('2025-11')).toEqual(['2025-11: 3 0.00426000']);
  });
});

describe('events that came late', () => {
  it.each([
    ['2025-12-03T23:59:59.999Z', ['2025-11: 1 0.00142000'], []],
    ['2025-12-04T00:00:00.000Z', [], ['2025-11: 1 0.00142000']],
  ])('accepted at %s, around 72 hours after the month’s end', async (accepted, november, december) => {
    await store(event('2025-11-30T23:59:59.999Z', accepted));
    expect([await linesOf('2025-11'), await linesOf('2025-12')]).toEqual([november, december]);
  });

  it.each(['2025-10-15', '2025-06-30T23:59:59.999Z', '2025-01-01'])(
    'are on the next open invoice, and on no other: from %s',
    async (happened) => {
      await store(event(happened, '2026-01-20'), event('2026-01-05'));
      const month = happened.slice(0, 7);
      expect(await linesOf('2026-01')).toEqual([`${month}: 1 0.00142000`, '2026-01: 1 0.00142000']);
      for (const other of [month, '2025-11', '2025-12', '2026-02']) expect(await linesOf(other)).toEqual([]);
    },
  );

  it('never change an issued invoice', async () => {
    await store(event('2025-11-10'), event('2025-11-20'));
    const issued = await invoiceOf('2025-11');
    await issueInvoice(engine.clickhouse, issued, { issuedAt: new Date('2025-12-04') });
    await store(event('2025-11-10', '2025-12-04'), event('2025-11-29', '2026-03-01'));
    const again = await invoiceOf('2025-11');
    expect(again.json).toBe(issued.json);
    await issueInvoice(engine.clickhouse, again, { issuedAt: new Date('2025-12-05') });
    expect(await linesOf('2025-12')).toEqual(['2025-11: 1 0.00142000']);
    expect(await linesOf('2026-02')).toEqual(['2025-11: 1 0.00142000']);
  });

  it('are not late when they are copies of one that was in time', async () => {
    await store(event('2025-11-10', '2025-11-10', { id: 1 }));
    await store(event('2025-11-10', '2025-12-20', { id: 1 }));
    expect([await linesOf('2025-11'), await linesOf('2025-12')]).toEqual([['2025-11: 1 0.00142000'], []]);
  });

  it('count in total and due amount of the invoice they are on', async () => {
    await store(event('2025-10-15', '2025-11-10'), event('2025-11-10'));
    expect((await invoiceOf('2025-11')).invoice).toMatchObject({
      total_queries: 2,
      total_tokens: 220,
      total_cost_usd: '0.00284000',
      amount_due_cents: 0,
    });
  });
});
