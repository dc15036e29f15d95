import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlanInvoice } from '../../src/invoices/plan-invoice.js';
import { recordTenants, type TenantTerms } from '../../src/metering/tenants.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, idOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const record = (tenantId: string, ...terms: [from: string, some?: Partial<TenantTerms>][]) =>
  recordTenants(
    engine.clickhouse,
    terms.map(([from, some]) => ({
      tenantId,
      effectiveFrom: new Date(from),
      plan: 'starter',
      state: 'active',
      ...some,
    })),
  );
/** Stores one event of so many queries: when it happened, and when it was accepted. */
const use = (tenantId: string, queries: number, happened: string, accepted = happened, id?: number) => {
  const input = { tenantId, queries, timestamp: new Date(happened), ...(id ? { eventId: idOf(id) } : {}) };
  return storeBatch(engine.clickhouse, [eventOf(input, new Date(accepted))]);
};
const made = (tenantId: string, month: string) => makePlanInvoice(engine.clickhouse, { tenantId, month });
const linesOf = async (tenantId: string, month: string) =>
  (await made(tenantId, month)).invoice.lines
    .filter(({ kind }) => kind === 'usage')
    .map((line) => [line.description, line.first_day, line.quantity, line.amount_cents]);

describe('makePlanInvoice(), usage that came late', () => {
  it('bills what the month would have been more, and not the price of the queries alone', async () => {
    await record('over', ['2025-01-01']);
    await use('over', 9_000, '2025-10-10');
    await use('over', 3_000, '2025-10-20', '2025-11-10');
    expect(await linesOf('over', '2025-10')).toEqual([['starter queries, included', '2025-10-01', 9_000, 0]]);
    expect(await linesOf('over', '2025-11')).toEqual([
      ['starter queries, reported late', '2025-10-01', 3_000, 200],
      ['starter queries, included', '2025-11-01', 0, 0],
    ]);
  });

  it('bills nothing for what stays within the allowance of its month', async () => {
    await record('within', ['2025-01-01']);
    await use('within', 3_000, '2025-10-20', '2025-11-10');
    await use('within', 10_000, '2025-11-20');
    expect(await linesOf('within', '2025-11')).toEqual([
      ['starter queries, reported late', '2025-10-01', 3_000, 0],
      ['starter queries, included', '2025-11-01', 10_000, 0],
    ]);
  });

  it('goes on where the last late line ended', async () => {
    await record('again', ['2025-01-01']);
    await use('again', 9_000, '2025-08-10');
    await use('again', 3_000, '2025-08-11', '2025-10-10');
    await use('again', 4_000, '2025-08-12', '2025-11-10');
    expect((await linesOf('again', '2025-10'))[0]).toEqual([
      'starter queries, reported late',
      '2025-08-01',
      3_000,
      200,
    ]);
    expect((await linesOf('again', '2025-11'))[0]).toEqual([
      'starter queries, reported late',
      '2025-08-01',
      4_000,
      400,
    ]);
  });

  it('leaves the issued invoice as it was, byte for byte', async () => {
    await record('issued', ['2025-01-01']);
    await use('issued', 11_000, '2025-10-10');
    const before = await made('issued', '2025-10');
    await use('issued', 5_000, '2025-10-20', '2025-11-04T00:00:00.000Z');
    expect((await made('issued', '2025-10')).json).toBe(before.json);
  });

  it.each([
    ['2025-11-03T23:59:59.999Z', 5_000, 0],
    ['2025-11-04T00:00:00.000Z', 0, 5_000],
  ])('accepted at %s, around 72 hours after the month’s end', async (accepted, onTime, late) => {
    const tenantId = `edge-${onTime}`;
    await record(tenantId, ['2025-01-01']);
    await use(tenantId, 5_000, '2025-10-31T23:59:59.999Z', accepted);
    const quantities = async (month: string) =>
      (await linesOf(tenantId, month)).map(([, , quantity]) => quantity);
    expect(await quantities('2025-10')).toEqual([onTime]);
    expect(await quantities('2025-11')).toEqual(late > 0 ? [late, 0] : [0]);
  });

  it('has a line for each segment of a month with two plans', async () => {
    await record('changed', ['2025-01-01'], ['2025-10-16', { plan: 'pro' }]);
    await use('changed', 12_000, '2025-10-15', '2025-11-10');
    await use('changed', 7_000, '2025-10-16', '2025-11-10');
    expect((await linesOf('changed', '2025-11')).slice(0, 2)).toEqual([
      ['starter queries, reported late', '2025-10-01', 12_000, 200],
      ['pro queries, reported late', '2025-10-16', 7_000, 0],
    ]);
  });

  it('has no line for a copy of what was billed, whatever its time', async () => {
    await record('copied', ['2025-01-01']);
    await use('copied', 11_000, '2025-08-10', '2025-08-10', 1);
    await use('copied', 11_000, '2025-10-10', '2025-11-10', 1);
    expect(await linesOf('copied', '2025-11')).toEqual([['starter queries, included', '2025-11-01', 0, 0]]);
    expect(await linesOf('copied', '2025-10')).toEqual([['starter queries, included', '2025-10-01', 0, 0]]);
  });

  it('has no line for what a trial used', async () => {
    await record('tried', ['2025-01-01', { trialEndsAt: new Date('2025-11-01') }]);
    await use('tried', 50_000, '2025-10-10', '2025-11-10');
    expect(await linesOf('tried', '2025-11')).toEqual([['starter queries, included', '2025-11-01', 0, 0]]);
  });
});
