import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlanInvoice } from '../../src/invoices/plan-invoice.js';
import { recordTenants, type TenantTerms } from '../../src/metering/tenants.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

const tenantId = 'acme-corp';
const record = (from: string, some: Partial<TenantTerms> = {}) =>
  recordTenants(engine.clickhouse, [
    { tenantId, effectiveFrom: new Date(from), plan: 'starter', state: 'active', ...some },
  ]);
const linesOf = async (month: string) =>
  (await makePlanInvoice(engine.clickhouse, { tenantId, month })).invoice.lines
    .filter(({ kind }) => kind !== 'base')
    .map(({ description, quantity, amount_cents }) => [description, quantity, amount_cents]);

describe('makePlanInvoice(), a tenant that changes', () => {
  it('credits a part of what was charged for a part of the month, not of the whole fee', async () => {
    // 16 days of 30 at $29 were charged as $15.47; 14 sixteenths of that are $13.54, and not $13.53.
    await record('2025-11-01', { trialEndsAt: new Date('2025-11-15') });
    await record('2025-11-17', { plan: 'pro', trialEndsAt: new Date('2025-11-15') });
    expect((await linesOf('2025-11')).slice(0, 2)).toEqual([
      ['Unused time on starter after 2025-11-17', 1, -1_354],
      ['Remaining time on pro after 2025-11-17', 1, 4_620],
    ]);
  });

  it('gives an allowance of its own to a subscription after a deletion', async () => {
    await record('2026-02-01');
    await record('2026-02-10', { state: 'deleted' });
    await record('2026-02-20');
    const events = ['2026-02-05', '2026-02-25'].map((day) =>
      eventOf({ tenantId, queries: 9_000, timestamp: new Date(day) }, new Date(day)),
    );
    await storeBatch(engine.clickhouse, events);
    expect(await linesOf('2026-02')).toEqual([
      ['starter queries, included', 9_000, 0],
      ['starter queries, included', 9_000, 0],
    ]);
  });
});
