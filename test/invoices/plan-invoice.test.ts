import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { makePlanInvoice } from '../../src/invoices/plan-invoice.js';
import { loadSampleMonth } from '../../src/metering/sample-month.js';
import { recordTenants, type TenantTerms } from '../../src/metering/tenants.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, idOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
  await loadSampleMonth(engine.clickhouse, { events: 105_000 });
});
afterAll(() => engine.close());

const invoiceOf = async (tenantId: string, month = '2025-11') =>
  (await makePlanInvoice(engine.clickhouse, { tenantId, month })).invoice;
const linesOf = async (tenantId: string) =>
  (await invoiceOf(tenantId)).lines.map((line) => [line.description, line.quantity, line.amount_cents]);
/** Records a tenant's terms: instant, and what differs from an active starter. */
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
/** Stores one event of so many queries at each instant. */
const use = async (tenantId: string, usage: Record<string, number>) => {
  const events = Object.entries(usage).map(([instant, queries]) =>
    eventOf({ tenantId, queries, timestamp: new Date(instant) }, new Date(instant)),
  );
  await storeBatch(engine.clickhouse, events);
};

describe('makePlanInvoice()', () => {
  it('bills acme-corp’s November: overage, and December’s fee in advance', async () => {
    expect(await invoiceOf('acme-corp')).toEqual({
      kind: 'plan',
      tenant_id: 'acme-corp',
      month: '2025-11',
      invoice_date: '2025-11-30',
      currency: 'usd',
      lines: [
        {
          kind: 'usage',
          description: 'starter queries, included',
          quantity: 10_000,
          unit_price_usd: '0.00000000',
          amount_cents: 0,
          first_day: '2025-11-01',
          last_day: '2025-11-30',
        },
        {
          kind: 'usage',
          description: 'starter queries, overage',
          quantity: 18_450,
          unit_price_usd: '0.00100000',
          amount_cents: 1_845,
          first_day: '2025-11-01',
          last_day: '2025-11-30',
        },
        {
          kind: 'base',
          description: 'starter base fee',
          quantity: 1,
          unit_price_usd: '29.00000000',
          amount_cents: 2_900,
          first_day: '2025-12-01',
          last_day: '2025-12-31',
        },
      ],
      total_queries: 28_450,
      amount_due_cents: 4_745,
    });
  });

  it('stays within the allowance without overage', async () => {
    expect(await linesOf('beta-inc')).toEqual([
      ['starter queries, included', 8_320, 0],
      ['starter base fee', 1, 2_900],
    ]);
  });

  it('splits a month at a change of plan: fees prorated, an allowance for each segment', async () => {
    expect(await linesOf('delta-labs')).toEqual([
      ['Unused time on starter after 2025-11-16', 1, -1_450],
      ['Remaining time on pro after 2025-11-16', 1, 4_950],
      ['starter queries, included', 6_000, 0],
      ['pro queries, included', 6_000, 0],
      ['pro base fee', 1, 9_900],
    ]);
    expect((await invoiceOf('delta-labs')).amount_due_cents).toBe(13_400);
  });

  it('puts the event at the instant of a change under the new plan', async () => {
    await record('instant', ['2025-10-01'], ['2025-11-16', { plan: 'pro' }]);
    await use('instant', { '2025-11-15T23:59:59.999Z': 3, '2025-11-16T00:00:00.000Z': 5 });
    expect((await linesOf('instant')).slice(2, 4)).toEqual([
      ['starter queries, included', 3, 0],
      ['pro queries, included', 5, 0],
    ]);
  });

  it('bills nothing in a trial', async () => {
    expect(await invoiceOf('echo-trial')).toMatchObject({ lines: [], total_queries: 0, amount_due_cents: 0 });
  });

  it('does not count what a trial used, and bills from its end', async () => {
    await record('trying', ['2025-11-01', { trialEndsAt: new Date('2025-11-15') }]);
    await use('trying', { '2025-11-14T23:59:59.999Z': 50_000, '2025-11-15T00:00:00.000Z': 10_001 });
    expect(await linesOf('trying')).toEqual([
      ['starter queries, included', 10_000, 0],
      ['starter queries, overage', 1, 0],
      ['starter base fee', 1, 2_900],
    ]);
  });

  it('bills no fee in advance to a tenant that is suspended, and what it used before', async () => {
    await record('late-payer', ['2025-10-01'], ['2025-11-20', { state: 'suspended' }]);
    await use('late-payer', { '2025-11-10T00:00:00Z': 11_000, '2025-11-25T00:00:00Z': 500 });
    expect(await linesOf('late-payer')).toEqual([
      ['starter queries, included', 10_000, 0],
      ['starter queries, overage', 1_000, 100],
    ]);
  });

  it('goes on with the same allowance after a suspension', async () => {
    await record('back-again', ['2025-10-01'], ['2025-11-10', { state: 'suspended' }], ['2025-11-12']);
    await use('back-again', { '2025-11-05T00:00:00Z': 8_000, '2025-11-20T00:00:00Z': 8_000 });
    expect(await linesOf('back-again')).toEqual([
      ['starter queries, included', 10_000, 0],
      ['starter queries, overage', 6_000, 600],
      ['starter base fee', 1, 2_900],
    ]);
  });

  it('takes the fee in advance from the plan that begins with the next month', async () => {
    await record('downgrading', ['2025-10-01', { plan: 'pro' }], ['2025-12-01']);
    await record('leaving', ['2025-10-01', { plan: 'pro' }], ['2025-12-01', { state: 'deleted' }]);
    expect(await linesOf('downgrading')).toEqual([
      ['pro queries, included', 0, 0],
      ['starter base fee', 1, 2_900],
    ]);
    expect(await linesOf('leaving')).toEqual([['pro queries, included', 0, 0]]);
  });

  it('has a line of nothing where nothing was used', async () => {
    await record('quiet', ['2025-10-01', { plan: 'enterprise' }]);
    expect(await linesOf('quiet')).toEqual([
      ['enterprise queries, included', 0, 0],
      ['enterprise base fee', 1, 49_900],
    ]);
  });

  it('counts a copy of an event once', async () => {
    await record('twice', ['2025-10-01']);
    for (let copy = 1; copy <= 2; copy += 1) {
      await storeBatch(engine.clickhouse, [eventOf({ tenantId: 'twice', eventId: idOf(1) })]);
    }
    expect((await invoiceOf('twice')).total_queries).toBe(1);
  });

  it('comes out the same, byte for byte, after a restart', async () => {
    const request = { tenantId: 'delta-labs', month: '2025-11' };
    const before = await makePlanInvoice(engine.clickhouse, request);
    engine = await engine.reopen();
    expect(await makePlanInvoice(engine.clickhouse, request)).toEqual(before);
  });

  it.each(['nobody', 'comes-later'])('refuses %s, who has no plan in the month', async (tenantId) => {
    await record('comes-later', ['2025-12-01']);
    await expect(invoiceOf(tenantId)).rejects.toThrow(
      new RangeError(`Cannot make plan invoice: ${tenantId} has no plan in 2025-11`),
    );
  });

  it('refuses a wrong month and a hostile tenant id', async () => {
    await expect(invoiceOf('acme-corp', '2025-13')).rejects.toThrow(RangeError);
    await expect(invoiceOf("' OR 1=1")).rejects.toThrow(InvalidInputError);
  });
});
