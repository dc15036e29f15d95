import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import {
  isBilled,
  recordTenants,
  type TenantTerms,
  tenantsAt,
  tenantTermsIn,
} from '../../src/metering/tenants.js';
import { parseMonth } from '../../src/period.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
beforeEach(() => engine.command('TRUNCATE TABLE tenant_quotas'));

const terms = (from: string, some: Partial<TenantTerms> = {}): TenantTerms => ({
  tenantId: 'acme-corp',
  effectiveFrom: new Date(from),
  plan: 'starter',
  state: 'active',
  trialEndsAt: undefined,
  ...some,
});
const november = parseMonth('2025-11');
const record = (...rows: TenantTerms[]) => recordTenants(engine.clickhouse, rows);

describe('tenantsAt()', () => {
  it('has each tenant’s latest terms, by name', async () => {
    const pro = terms('2025-11-10T00:00:00.000Z', { plan: 'pro' });
    const other = terms('2025-11-01', {
      tenantId: 'beta-inc',
      trialEndsAt: new Date('2025-11-15T00:00:00.001Z'),
    });
    await record(other, terms('2025-10-01'), pro);
    expect(await tenantsAt(engine.clickhouse, november.end)).toEqual([pro, other]);
  });

  it('changes at the instant, not a millisecond before', async () => {
    await record(terms('2025-10-01'), terms('2025-11-10T00:00:00.000Z', { plan: 'pro' }));
    const planAt = async (instant: string) =>
      (await tenantsAt(engine.clickhouse, new Date(instant)))[0]?.plan;
    expect(await planAt('2025-11-09T23:59:59.999Z')).toBe('starter');
    expect(await planAt('2025-11-10T00:00:00.000Z')).toBe('pro');
  });

  it('lets a row recorded again for the same instant replace the first', async () => {
    await record(terms('2025-10-01'));
    await record(terms('2025-10-01', { state: 'suspended' }));
    expect((await tenantsAt(engine.clickhouse, november.end)).map(({ state }) => state)).toEqual([
      'suspended',
    ]);
  });
});

describe('tenantTermsIn()', () => {
  const plansIn = async () =>
    (await tenantTermsIn(engine.clickhouse, { tenantId: 'acme-corp', period: november })).map(
      ({ plan }) => plan,
    );

  it('begins with the terms in force at the start, and ends before the end', async () => {
    await record(
      terms('2025-09-01', { plan: 'enterprise' }),
      terms('2025-10-01', { plan: 'pro' }),
      terms('2025-11-15'),
      terms('2025-12-01', { plan: 'enterprise' }),
    );
    expect(await plansIn()).toEqual(['pro', 'starter']);
  });

  it('leaves out what ended at the very start', async () => {
    await record(terms('2025-10-01', { plan: 'pro' }), terms('2025-11-01'));
    expect(await plansIn()).toEqual(['starter']);
  });

  it('has none for a tenant that came later', async () => {
    await record(terms('2025-12-01'));
    expect(await plansIn()).toEqual([]);
  });

  it('refuses a hostile tenant id', async () => {
    const request = { tenantId: "' OR 1=1 --", period: november };
    await expect(tenantTermsIn(engine.clickhouse, request)).rejects.toThrow(InvalidInputError);
  });
});

describe('recordTenants()', () => {
  it.each([
    [{ plan: 'free' }, 'plan must be one of starter, pro, enterprise, current value is "free"'],
    [{ state: 'gone' }, 'state must be one of active, suspended, deleted, current value is "gone"'],
    [
      { effectiveFrom: new Date('never') },
      'effectiveFrom must be a valid Date, current value is Invalid Date',
    ],
    [{ trialEndsAt: null }, 'trialEndsAt must be a valid Date, current value is null'],
    [{ note: 'x' }, 'note is not a known field'],
  ])('refuses %o, and writes nothing', async (wrong, problem) => {
    const rows = [terms('2025-10-01'), terms('2025-11-01', wrong as Partial<TenantTerms>)];
    await expect(record(...rows)).rejects.toThrow(`Cannot accept tenant: ${problem}`);
    expect(await tenantsAt(engine.clickhouse, november.end)).toEqual([]);
  });

  it('takes none', async () => {
    await record();
    expect(await tenantsAt(engine.clickhouse, november.end)).toEqual([]);
  });
});

describe('isBilled()', () => {
  const trial = { trialEndsAt: new Date('2025-11-15T00:00:00Z') };
  it.each([
    [{}, '2025-11-01T00:00:00Z', true],
    [{ state: 'suspended' }, '2025-11-01T00:00:00Z', false],
    [{ state: 'deleted' }, '2025-11-01T00:00:00Z', false],
    [trial, '2025-11-14T23:59:59.999Z', false],
    [trial, '2025-11-15T00:00:00.000Z', true],
  ] as const)('of %o at %s is %s', (some, instant, billed) => {
    expect(isBilled(terms('2025-10-01', some), new Date(instant))).toBe(billed);
  });
});
