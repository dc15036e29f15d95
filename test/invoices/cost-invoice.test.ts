import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { type CostInvoice, makeCostInvoice, makeCostInvoices } from '../../src/invoices/cost-invoice.js';
import { invoiceCsv } from '../../src/invoices/csv.js';
import { sha256 } from '../../src/invoices/seal.js';
import { loadSampleMonth } from '../../src/metering/sample-month.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
  await loadSampleMonth(engine.clickhouse, { events: 105_000 });
});
afterAll(() => engine.close());

const invoiceOf = (tenantId: string, month = '2025-11') =>
  makeCostInvoice(engine.clickhouse, { tenantId, month });
const COURSE = ['acme-corp', 'beta-inc', 'charlie-co'];
const courseJson = async () => {
  const sealed: string[] = [];
  for (const tenantId of COURSE) sealed.push((await invoiceOf(tenantId)).json);
  return sealed;
};

describe('makeCostInvoice()', () => {
  it('adds up acme-corp’s November as the course has it', async () => {
    expect((await invoiceOf('acme-corp')).invoice).toEqual({
      kind: 'cost',
      tenant_id: 'acme-corp',
      month: '2025-11',
      invoice_date: '2025-11-30',
      currency: 'usd',
      lines: [
        {
          usage_month: '2025-11',
          event_type: 'query',
          model: 'gpt-4o',
          price_version: '2025-01',
          events: 28_450,
          queries: 28_450,
          tokens_input: 4_846_667,
          tokens_output: 353_333,
          bytes: 0,
          cost_usd: '47.22999700',
        },
      ],
      total_queries: 28_450,
      total_tokens: 5_200_000,
      total_cost_usd: '47.22999700',
      amount_due_cents: 4_723,
    });
  });

  it('is an invoice of nothing where nothing was used', async () => {
    expect((await invoiceOf('echo-trial')).invoice).toMatchObject({
      lines: [],
      total_queries: 0,
      total_cost_usd: '0.00000000',
      amount_due_cents: 0,
    });
  });

  it('has the hash of its bytes', async () => {
    const sealed = await invoiceOf('beta-inc');
    expect(sealed.sha256).toBe(sha256(sealed.json));
    expect(JSON.parse(sealed.json)).toEqual(sealed.invoice);
  });

  it('is the same, byte for byte, whatever the engine does with the rows', async () => {
    const before = await courseJson();
    await engine.command('OPTIMIZE TABLE usage_events FINAL');
    await engine.command('SET max_threads = 1');
    expect(await courseJson()).toEqual(before);
  });

  it('is the same after prices changed, copies came again in any order, and a restart', async () => {
    const before = await courseJson();
    await engine.command(`
      INSERT INTO usage_events
      SELECT * REPLACE (
        cost_usd * 2 AS cost_usd, 'changed' AS price_version, created_at + INTERVAL 1 DAY AS created_at)
      FROM usage_events ORDER BY rand()`);
    expect(await engine.rows('SELECT count() AS n FROM usage_events')).toEqual([{ n: 210_000 }]);
    expect(await courseJson()).toEqual(before);
    engine = await engine.reopen();
    await engine.command('OPTIMIZE TABLE usage_events FINAL');
    expect(await engine.rows('SELECT count() AS n FROM usage_events')).toEqual([{ n: 105_000 }]);
    expect(await courseJson()).toEqual(before);
  });

  it('takes the last millisecond of its month and leaves the next', async () => {
    const times = [
      '2025-10-31T23:59:59.999Z',
      '2025-11-01T00:00:00.000Z',
      '2025-11-30T23:59:59.999Z',
      '2025-12-01T00:00:00.000Z',
    ];
    const events = times.map((time) =>
      eventOf({ tenantId: 'edge', timestamp: new Date(time) }, new Date(time)),
    );
    await storeBatch(engine.clickhouse, events);
    const queries: number[] = [];
    for (const month of ['2025-10', '2025-11', '2025-12']) {
      queries.push((await invoiceOf('edge', month)).invoice.total_queries);
    }
    expect(queries).toEqual([1, 2, 1]);
  });

  it('has a line for each type, model and price table, in order', async () => {
    const some = [
      { type: 'storage_write', model: undefined, tokensInput: 0, tokensOutput: 0, bytes: 1_000_000_000 },
      { model: 'gpt-4o-mini' },
      {},
      { type: 'embedding' },
    ] as const;
    const events = some.map((input) => eventOf({ tenantId: 'mixed', ...input }));
    const repriced = { ...eventOf({ tenantId: 'mixed' }), price_version: '2025-11' };
    await storeBatch(engine.clickhouse, [...events, repriced]);
    const { invoice } = await invoiceOf('mixed');
    expect(
      invoice.lines.map((line) => [line.event_type, line.model, line.price_version, line.cost_usd]),
    ).toEqual([
      ['embedding', 'gpt-4o', '2025-01', '0.00042000'],
      ['query', 'gpt-4o', '2025-01', '0.00142000'],
      ['query', 'gpt-4o', '2025-11', '0.00142000'],
      ['query', 'gpt-4o-mini', '2025-01', '0.00102520'],
      ['storage_write', '', '2025-01', '0.00320000'],
    ]);
    expect([invoice.total_cost_usd, invoice.amount_due_cents]).toEqual(['0.00748520', 1]);
  });

  it.each(['2025-13', '2025-1', '', '2025-11-01'])('refuses the month %j', async (month) => {
    await expect(invoiceOf('acme-corp', month)).rejects.toThrow(RangeError);
  });

  it.each(["' OR 1=1", 'ACME', '', '{tenantId:String}'])('refuses the tenant id %j', async (tenantId) => {
    await expect(invoiceOf(tenantId)).rejects.toThrow(InvalidInputError);
  });
});

describe('invoiceCsv()', () => {
  it('is the course’s CSV, to the byte', async () => {
    const invoices: CostInvoice[] = [];
    for (const tenantId of COURSE) invoices.push((await invoiceOf(tenantId)).invoice);
    expect(invoiceCsv(invoices)).toBe(
      'tenant_id,month,total_queries,total_tokens,total_cost_usd,invoice_date\n' +
        'acme-corp,2025-11,28450,5200000,47.23,2025-11-30\n' +
        'beta-inc,2025-11,8320,1800000,15.67,2025-11-30\n' +
        'charlie-co,2025-11,52100,9500000,82.41,2025-11-30\n',
    );
  });

  it('is its heading alone for no invoice', () => {
    expect(invoiceCsv([])).toBe('tenant_id,month,total_queries,total_tokens,total_cost_usd,invoice_date\n');
  });
});

describe('makeCostInvoices()', () => {
  it('makes those of hundreds of tenants as one by one, and none that was not asked for', async () => {
    const others = Array.from({ length: 500 }, (_, n) => `nobody-${n}`);
    const tenantIds = ['charlie-co', ...others, 'acme-corp'];
    const sealed = await makeCostInvoices(engine.clickhouse, { tenantIds, month: '2025-11' });
    expect(sealed.map(({ invoice }) => invoice.tenant_id)).toEqual(tenantIds);
    expect([sealed[0], sealed.at(-1)]).toEqual([await invoiceOf('charlie-co'), await invoiceOf('acme-corp')]);
    expect(sealed.slice(1, -1).every(({ invoice }) => invoice.lines.length === 0)).toBe(true);
  });
});
