import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grafanaDashboard } from '../../src/dashboard/grafana-dashboard.js';
import { grafanaQuery, TENANTS_QUERY } from '../../src/dashboard/grafana-query.js';
import { loadDashboard, type PanelRow, tablesRead } from '../../src/dashboard/load-dashboard.js';
import { PANELS, type Panel } from '../../src/dashboard/panels.js';
import { loadSampleMonth } from '../../src/metering/sample-month.js';
import { tenantsAt } from '../../src/metering/tenants.js';
import { limitsOf, PLANS } from '../../src/plans.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
  await loadSampleMonth(engine.clickhouse, { events: 105_000 });
});
afterAll(() => engine.close());

const NOW = new Date('2025-11-30T23:59:59.999Z');

/** As Grafana's percentencode: RFC 3986, so that quotes and brackets go too. */
const percentEncoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** What Grafana sends: its variables replaced; one that it does not know stays, and is no SQL. */
function sent(rawSql: string, { tenant = 'acme-corp', now = NOW } = {}): string {
  const values: Record<string, string> = {
    'tenant:percentencode': percentEncoded(tenant),
    __to: String(now.getTime()),
  };
  return rawSql.replace(/\$\{([^}]+)\}/g, (variable, name: string) => values[name] ?? variable);
}

const exported = (id: string) =>
  grafanaDashboard().panels[PANELS.findIndex((panel) => panel.id === id)]?.targets[0]?.rawSql ?? '';

/** A panel's rows as the export has them: a time of day for each, and numbers to draw. */
const drawn = ({ at, series, value }: PanelRow) => ({
  time: at.length === 10 ? `${at} 00:00:00` : at,
  series,
  value: Number(value),
});
const sorted = (rows: ReturnType<typeof drawn>[]) =>
  rows.sort((a, b) => (a.time + a.series < b.time + b.series ? -1 : 1));

describe('grafanaQuery()', () => {
  it.each(PANELS.map(({ id }) => id))('answers the rows of the panel: %s', async (id) => {
    const panels = PANELS.filter((panel) => panel.id === id);
    const tenants = (await tenantsAt(engine.clickhouse, NOW)).slice(0, 12);
    for (const now of [NOW, new Date('2025-11-17T10:20:30.400Z')]) {
      for (const { tenantId, plan } of tenants) {
        const request = { tenantId, now, limits: limitsOf(plan), panels };
        const [loaded] = await loadDashboard(engine.clickhouse, request);
        const rows = await engine.rows(sent(exported(id), { tenant: tenantId, now }));
        expect(rows, tenantId).toEqual(sorted((loaded?.rows ?? []).map(drawn)));
      }
    }
  });

  it('answers something for the largest of the sample', async () => {
    const counts = PANELS.map(async ({ id }) => (await engine.rows(sent(exported(id)))).length);
    expect(await Promise.all(counts)).toEqual([24, 60, 24, 1, 30]);
  });

  it('measures the quota of the plan that holds at that time', async () => {
    await engine.command(`
      INSERT INTO tenant_quotas VALUES
        ('acme-corp', '2025-11-20 00:00:00', 'pro', 'active', NULL),
        ('acme-corp', '2026-01-01 00:00:00', 'enterprise', 'active', NULL)`);
    const [queries] = await engine.rows<{ value: number }>(
      `SELECT sum(queries) AS value FROM usage_hourly WHERE tenant_id = 'acme-corp' AND toDate(hour) = '2025-11-30'`,
    );
    const [used] = await engine.rows<{ value: number }>(sent(exported('quota-used')));
    const share = (100 * (queries?.value ?? 0)) / PLANS.pro.dailyLimits.queries;
    expect(used?.value).toBe(Math.round(share * 10) / 10);
    await engine.command(`ALTER TABLE tenant_quotas DELETE WHERE plan != 'starter' AND tenant_id = 'acme-corp'
      SETTINGS mutations_sync = 2`);
  });

  it.each(["' OR 1 --", "\\' OR 1 --", "') OR 1=1 --", '%27 OR 1 --', '\\', 'acme-corp\n', '{now:Int64}'])(
    'finds nothing for the tenant %j, and runs none of it',
    async (tenant) => {
      const rows = PANELS.map(({ id }) => engine.rows<{ value: number }>(sent(exported(id), { tenant })));
      expect(await Promise.all(rows)).toEqual([
        [],
        [],
        [],
        [{ time: '2025-11-30 00:00:00', series: 'used', value: 0 }],
        [],
      ]);
    },
  );

  it('could not trust Grafana’s own quotes: a backslash gets out of them', async () => {
    const quoted = `'${"\\' OR 1 --".replaceAll("'", "\\'")}'`;
    const [all] = await engine.rows<{ days: number }>(
      `SELECT count() AS days FROM usage_daily WHERE tenant_id = ${quoted}`,
    );
    expect(all?.days).toBeGreaterThan(1_000);
  });

  it('reads rollups and terms, and never the events', async () => {
    const request = { tenantId: 'acme-corp', now: NOW, limits: limitsOf('starter') };
    const read = PANELS.map(async (panel) =>
      tablesRead(engine.clickhouse, { ...panel, sql: sent(grafanaQuery(panel)) }, request),
    );
    const tables = new Set((await Promise.all(read)).flat());
    expect([...tables].sort()).toEqual(['tenant_quotas', 'usage_daily', 'usage_hourly']);
  });

  it('refuses a parameter that Grafana has nothing for', () => {
    const panel: Panel = { id: 'x', title: 'X', kind: 'line', unit: '$', sql: 'SELECT {model:String}' };
    expect(() => grafanaQuery(panel)).toThrow(
      new RangeError('Cannot export panel x: Grafana has nothing in place of {model:String}'),
    );
  });

  it('leaves no parameter of ours and no variable that Grafana does not have', () => {
    for (const panel of PANELS) expect(sent(grafanaQuery(panel))).not.toMatch(/[{}$]/);
  });
});

describe('TENANTS_QUERY', () => {
  it('lists the tenants with usage', async () => {
    const rows = await engine.rows<{ tenant_id: string }>(TENANTS_QUERY);
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.map(({ tenant_id }) => tenant_id)).toContain('acme-corp');
  });
});
