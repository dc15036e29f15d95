import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvoiceChangedError } from '../../src/errors.js';
import { makeCostInvoice } from '../../src/invoices/cost-invoice.js';
import { seal } from '../../src/invoices/seal.js';
import { issueInvoice, readSnapshot } from '../../src/invoices/snapshot.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, NOW, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
  await storeBatch(engine.clickhouse, [eventOf()]);
});
afterAll(() => engine.close());
beforeEach(() => engine.command('TRUNCATE TABLE invoice_snapshots'));

const key = { tenant_id: 'acme-corp', month: '2025-11', kind: 'cost' } as const;
const makeInvoice = () => makeCostInvoice(engine.clickhouse, { tenantId: 'acme-corp', month: '2025-11' });
const issue = async (sealed: Awaited<ReturnType<typeof makeInvoice>>) =>
  issueInvoice(engine.clickhouse, sealed, { issuedAt: new Date('2025-12-04T00:00:00Z') });

describe('issueInvoice()', () => {
  it('keeps the bytes', async () => {
    const sealed = await makeInvoice();
    await issue(sealed);
    expect(await readSnapshot(engine.clickhouse, key)).toEqual({ json: sealed.json, sha256: sealed.sha256 });
  });

  it('keeps them once, however often they are issued', async () => {
    for (let time = 1; time <= 2; time += 1) await issue(await makeInvoice());
    expect(await engine.rows('SELECT count() AS n FROM invoice_snapshots')).toEqual([{ n: 1 }]);
  });

  it('refuses other figures for an issued month, and keeps the first', async () => {
    const first = await makeInvoice();
    await issue(first);
    const changed = seal({ ...first.invoice, amount_due_cents: 1_000 });
    await expect(issue(changed)).rejects.toThrow(
      new InvoiceChangedError('acme-corp', '2025-11', first.sha256, changed.sha256),
    );
    expect((await readSnapshot(engine.clickhouse, key))?.json).toBe(first.json);
  });

  it('keeps months, kinds and tenants apart', async () => {
    const { invoice } = await makeInvoice();
    await issue(seal(invoice));
    await issue(seal({ ...invoice, month: '2025-10' }));
    await issue(seal({ ...invoice, tenant_id: 'beta-inc' }));
    expect(await engine.rows('SELECT count() AS n FROM invoice_snapshots')).toEqual([{ n: 3 }]);
  });

  it('keeps hostile text as it is', async () => {
    const { invoice } = await makeInvoice();
    const line = { ...invoice.lines[0], model: "'; DROP TABLE \\ {x:String}\n😀" };
    const sealed = seal({ ...invoice, lines: [line] }) as Awaited<ReturnType<typeof makeInvoice>>;
    await issue(sealed);
    expect((await readSnapshot(engine.clickhouse, key))?.json).toBe(sealed.json);
  });
});

describe('readSnapshot()', () => {
  it('is undefined before the month was issued', async () => {
    expect(await readSnapshot(engine.clickhouse, key)).toBeUndefined();
  });

  it('refuses a row that somebody changed, and so does issuing again', async () => {
    const sealed = await makeInvoice();
    await issue(sealed);
    await engine.command(
      `ALTER TABLE invoice_snapshots UPDATE json = replaceOne(json, '"total_queries":1', '"total_queries":9') WHERE 1 SETTINGS mutations_sync = 1`,
    );
    const sentence = 'Cannot trust snapshot of acme-corp for 2025-11: its bytes do not have its hash';
    await expect(readSnapshot(engine.clickhouse, key)).rejects.toThrow(sentence);
    await expect(issue(sealed)).rejects.toThrow(sentence);
  });
});

describe('issueInvoice(), handed what is no invoice', () => {
  it.each([
    ['other bytes', { json: '{}' }],
    ['another hash', { sha256: 'a'.repeat(64) }],
  ])('refuses %s and keeps nothing', async (_, change) => {
    const sealed = await makeCostInvoice(engine.clickhouse, { tenantId: 'beta-inc', month: '2025-10' });
    await expect(
      issueInvoice(engine.clickhouse, { ...sealed, ...change }, { issuedAt: NOW }),
    ).rejects.toThrow(
      'Cannot accept invoice: json must be the canonical JSON of the invoice, and sha256 its hash',
    );
    expect(await readSnapshot(engine.clickhouse, sealed.invoice)).toBeUndefined();
  });

  it('refuses an invalid date', async () => {
    const sealed = await makeCostInvoice(engine.clickhouse, { tenantId: 'beta-inc', month: '2025-10' });
    await expect(issueInvoice(engine.clickhouse, sealed, { issuedAt: new Date(Number.NaN) })).rejects.toThrow(
      RangeError,
    );
  });
});
