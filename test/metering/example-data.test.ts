import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examplePlans, loadExampleUsage, readExampleData } from '../../src/metering/example-data.js';
import { tenantsAt } from '../../src/metering/tenants.js';
import { PLANS } from '../../src/plans.js';
import { countsOf, openEmbedded } from '../support/embedded.js';

describe('readExampleData()', () => {
  it('has the plans of the library', () => {
    expect(examplePlans(readExampleData())).toEqual(PLANS);
  });

  it('names the field that is wrong', () => {
    const folder = mkdtempSync(join(tmpdir(), 'example-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'example.json');
    writeFileSync(file, readFileSync('example_data.json', 'utf8').replace('"plan": "pro"', '"plan": "gold"'));
    expect(() => readExampleData(file)).toThrow(/customers\.1\.plan/);
  });
});

describe('loadExampleUsage()', () => {
  it('stores the usage of the three customers, and their plans', async () => {
    const engine = await openEmbedded();
    onTestFinished(() => engine.close());
    for (const _ of ['loads', 'leaves it alone'])
      expect(await loadExampleUsage(engine.clickhouse, readExampleData())).toBe(983_500);
    const { events, daily } = await countsOf(engine, "tenant_id = 'tenant_002'");
    expect(events).toMatch(/^125000 /);
    expect(daily).toBe(events);
    const tenants = await tenantsAt(engine.clickhouse, new Date('2025-11-01T00:00:00Z'));
    expect(tenants.map(({ tenantId, plan }) => [tenantId, plan])).toEqual([
      ['tenant_001', 'starter'],
      ['tenant_002', 'pro'],
      ['tenant_003', 'enterprise'],
    ]);
  });
});
