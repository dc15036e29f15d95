import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BilledTenant, billedTenant } from '../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { readStanding } from '../support/standing.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let tenant: BilledTenant;
beforeEach(async () => {
  await engine.command('DROP TABLE IF EXISTS tenant_ledger');
  tenant = await billedTenant(engine);
});

describe('a failed payment by its count', () => {
  it.each([
    [1, 'reminder_sent', 'good'],
    [2, 'warning_sent', 'good'],
    [3, 'rate_limit_reduced', 'reduced'],
    [4, 'service_suspended', 'suspended'],
    [9, 'service_suspended', 'suspended'],
  ])('%i is %s', async (failureCount, action, then) => {
    const payment = { tenantId: 'tenant_001', failureCount, invoiceAmount: 2_900 };
    expect(await tenant.dunning.processFailedPayment(payment)).toEqual({ action });
    expect(await readStanding(engine.redis, 'tenant_001')).toBe(then);
    const count = tenant.told.length;
    await tenant.dunning.processFailedPayment(payment);
    expect(tenant.told).toHaveLength(count);
    expect(await tenant.dunning.reactivateTenant('tenant_001')).toEqual({ action: 'reactivated' });
    expect(await readStanding(engine.redis, 'tenant_001')).toBe('good');
  });

  it.each([
    [{ failureCount: 0 }, 'failureCount must be at least 1, current value is 0'],
    [{ failureCount: -1 }, 'failureCount must be at least 1, current value is -1'],
    [{ failureCount: 1.5 }, 'failureCount must be a whole number, current value is 1.5'],
    [{ failureCount: Number.NaN }, 'failureCount must be a whole number, current value is NaN'],
    [{ failureCount: Number.POSITIVE_INFINITY }, 'failureCount must be a whole number'],
    [{ invoiceAmount: -1 }, 'invoiceAmount must be at least 0, current value is -1'],
    [{ invoiceAmount: Number.NaN }, 'invoiceAmount must be whole cents, current value is NaN'],
    [{ invoiceAmount: 29.5 }, 'invoiceAmount must be whole cents, current value is 29.5'],
    [{ tenantId: '' }, 'tenantId must be 1 to 63'],
  ])('must be one: %j is refused, and nothing is done', async (wrong, sentence) => {
    const payment = { tenantId: 'tenant_001', failureCount: 1, invoiceAmount: 1, ...wrong };
    await expect(tenant.dunning.processFailedPayment(payment)).rejects.toThrow(sentence);
    expect([tenant.told, await tenant.ledger.of('tenant_001')]).toEqual([[], []]);
  });
});
